package node

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// port writes events to a virtio-serial port. One process at a time may have it
// open (Linux, drivers/char/virtio_console.c, port_fops_open), and on a node two
// report at once (health and ready): so it is opened for each event, and a busy
// one is tried again. Nobody may be reading at the other end; then a write would
// block for ever, and an install must not: after its patience it says no more.
type port struct {
	path     string
	patience time.Duration
	lost     error
}

// busy is the pause before a busy port is tried again: longer than an event takes.
const busy = 5 * time.Millisecond

func (p *port) Write(b []byte) (int, error) {
	if p.lost != nil {
		return 0, p.lost
	}
	end := time.Now().Add(p.patience)
	f, err := p.open(end)
	if err != nil {
		return 0, err
	}
	// A port that knows no deadline is one that does not block.
	_ = f.SetWriteDeadline(end)
	n, err := f.Write(b)
	p.lost = err
	return n, errors.Join(err, f.Close())
}

func (p *port) open(end time.Time) (*os.File, error) {
	again := time.NewTicker(busy)
	defer again.Stop()
	for {
		f, err := os.OpenFile(p.path, os.O_WRONLY, 0)
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return f, err
		}
		<-again.C
	}
}

// Close has nothing to do: each event closed the port behind it.
func (p *port) Close() error { return nil }
