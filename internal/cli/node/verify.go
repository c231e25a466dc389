package node

import "caisson.dev/caisson/internal/event"

type verifyCmd struct {
	Medium string `type:"path" default:"/run/initramfs/live" help:"Where the medium is mounted."`
	JSON   bool   `help:"Machine-readable: events as JSON lines that end with done."`
}

func (c verifyCmd) Run(r *run) error {
	if !c.JSON {
		_, err := verifyMedium(r, c.Medium, plain(r.out, r.now))
		return err
	}
	v := &voice{sink: event.Lines(r.out, "caisson")}
	_, err := verifyMedium(r, c.Medium, v.sink)
	v.done(err, nil)
	return err
}
