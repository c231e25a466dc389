// Package room keeps an installed node's STATE from being too full to start. It
// holds a file of no use, whose room is given back when the disk is almost full,
// and then clears what is known to be only a copy or an old log: Kubernetes can
// start again, and its own clearing (images that nothing uses, pods that write
// too much) takes over.
//
// It never removes what somebody may need: images, archives, volumes, snapshots
// and audit logs stay. What they fill is for a person to decide. `caisson-node
// room` calls it before Kubernetes starts, and by a timer.
package room

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/size"
)

// Ballast is the file of no use. Its room is allocated and never written: it
// costs flash nothing (fallocate(2)).
const (
	Ballast     = "/var/lib/caisson/ballast"
	ballastSize = 256 * size.MiB
)

// The disk is full with less than a twentieth free, and has room to spare with
// more than three twentieths; between the two nothing is done, so that the
// ballast does not come and go. The kubelet acts at a tenth.
const (
	fullPart  = 20
	sparePart = 7
)

// Room is the STATE of a node.
type Room struct {
	Root string // "/" on a node
	// Vacuum makes the journal small. On a node it is journalctl.
	Vacuum func(ctx context.Context) error
	// Space is what is free for users, of how much. On a node it is statfs(2).
	Space func(path string) (free, total size.Bytes, err error)
}

// Keep looks once, acts, and reports what it did. It fails with DISK-FULL if
// what it may remove was not enough.
func (r Room) Keep(ctx context.Context, report func(string)) error {
	free, total, err := r.Space(filepath.Join(r.Root, "var"))
	if err != nil {
		return Full.New("cannot tell how full /var is: %w", err)
	}
	switch {
	case free < total/fullPart:
		return r.clear(ctx, total, report)
	case free > total/sparePart:
		return r.fill(report)
	}
	return nil
}

// clear gives room back, the cheapest first, until there is enough.
func (r Room) clear(ctx context.Context, total size.Bytes, report func(string)) error {
	var errs []error
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"gave back the room of " + Ballast, func() error { return os.Remove(filepath.Join(r.Root, Ballast)) }},
		{"made the journal small", func() error { return r.Vacuum(ctx) }},
		{"removed old logs of containers", r.oldLogs},
	} {
		err := step.do()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			errs = append(errs, err)
			continue
		}
		free, _, err := r.Space(filepath.Join(r.Root, "var"))
		if err != nil {
			return Full.New("cannot tell how full /var is: %w", err)
		}
		report(fmt.Sprintf("%s: %s free of %s", step.what, free, total))
		if free >= total/fullPart {
			return nil
		}
	}
	free, _, _ := r.Space(filepath.Join(r.Root, "var"))
	f := Full.New("cannot make room on this node: have %s free in /var, need %s: what may be removed is removed", free, total/fullPart)
	if err := errors.Join(errs...); err != nil {
		f = Full.New("cannot make room on this node: have %s free in /var, need %s: %w", free, total/fullPart, err)
	}
	return f.Hint("`du -xh --max-depth=4 /var | sort -h | tail` shows what fills it: most often volumes in /var/lib/rancher/k3s/storage")
}

// oldLogs removes what the kubelet has turned over: a container's present log
// ends in .log, an old one has the time after it (kubernetes
// pkg/kubelet/logs/container_log_manager.go).
func (r Room) oldLogs() error {
	old, err := filepath.Glob(filepath.Join(r.Root, "var/log/pods/*/*/*.log.*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range old {
		errs = append(errs, os.Remove(f))
	}
	return errors.Join(errs...)
}

// fill takes the room that clear will give back.
func (r Room) fill(report func(string)) error {
	path := filepath.Join(r.Root, Ballast)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(ballastSize) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return Full.New("cannot hold room back: %w", err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(ballastSize)); err != nil {
		_ = os.Remove(path) // half a ballast is none
		return Full.New("cannot hold room back: allocate %s for %s: %w", ballastSize, Ballast, err)
	}
	report(fmt.Sprintf("hold %s back in %s", ballastSize, Ballast))
	return nil
}

// Space is what is free for users in the file system of path, of how much.
func Space(path string) (free, total size.Bytes, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	return size.Bytes(s.Bavail) * size.Bytes(s.Bsize), size.Bytes(s.Blocks) * size.Bytes(s.Bsize), nil
}
