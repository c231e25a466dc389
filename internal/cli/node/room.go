package node

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/nodeos/room"
)

type roomCmd struct{}

// Run keeps the node's disk from being too full to start.
func (roomCmd) Run(r *run) error {
	v := r.speak("node", false)
	return room.Room{Root: r.root, Vacuum: vacuum, Space: room.Space}.Keep(r.ctx, func(what string) {
		v.sink(event.Event{Name: "room", Message: what})
	})
}

// vacuum leaves the journal two files' worth.
func vacuum(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "journalctl", "--quiet", "--rotate", "--vacuum-size=32M").CombinedOutput()
	if err != nil {
		return fmt.Errorf("journalctl: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
