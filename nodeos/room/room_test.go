package room_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos/room"
)

// kept is what no clearing may touch, whatever the disk.
var kept = []string{
	"var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst",
	"var/lib/rancher/k3s/server/logs/audit-2026-11-24T00-00-00.000.log",
	"var/lib/rancher/k3s/server/db/snapshots/etcd-snapshot-edge-1-1.zip",
	"var/lib/rancher/k3s/storage/pvc-1/data",
	"var/lib/caisson/store/blobs/sha256/aa",
	"var/log/pods/a/b/0.log",
}

// disk is a STATE of 10 GiB with free left; each removal gives some back.
type disk struct {
	root         string
	free         size.Bytes
	vacuums      int
	broken, full error
	perLog       size.Bytes
}

func newDisk(t *testing.T, free size.Bytes) *disk {
	t.Helper()
	d := &disk{root: t.TempDir(), free: free, perLog: 100 * size.MiB}
	for _, f := range append(slices.Clone(kept), "var/lib/caisson/x", "var/log/pods/a/b/0.log.20261125-050000", "var/log/pods/a/b/0.log.20261125-040000.gz") {
		path := filepath.Join(d.root, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// space counts what was removed since: the ballast 256 MiB, each old log perLog.
func (d *disk) space(string) (size.Bytes, size.Bytes, error) {
	free := d.free
	if info, err := os.Stat(filepath.Join(d.root, room.Ballast)); err == nil {
		free -= size.Bytes(info.Size())
	}
	logs, _ := filepath.Glob(filepath.Join(d.root, "var/log/pods/*/*/*.log.*"))
	free -= size.Bytes(len(logs)) * d.perLog
	return free + size.Bytes(d.vacuums)*50*size.MiB, 10 * size.GiB, d.full
}

func (d *disk) keep(t *testing.T) (said []string, err error) {
	t.Helper()
	r := room.Room{Root: d.root, Space: d.space, Vacuum: func(context.Context) error { d.vacuums++; return d.broken }}
	err = r.Keep(t.Context(), func(s string) { said = append(said, s) })
	for _, f := range kept {
		if _, err := os.Stat(filepath.Join(d.root, f)); err != nil {
			t.Errorf("%s is gone", f)
		}
	}
	return said, err
}

func TestKeep(t *testing.T) {
	d := newDisk(t, 3*size.GiB)
	said, err := d.keep(t)
	info, statErr := os.Stat(filepath.Join(d.root, room.Ballast))
	if err != nil || statErr != nil || info.Size() != int64(256*size.MiB) || len(said) != 1 {
		t.Fatalf("with room to spare: %q, %v, %v", said, err, statErr)
	}
	if said, err := d.keep(t); err != nil || len(said) != 0 {
		t.Errorf("a second time: %q, %v", said, err)
	}
	d.free = 900 * size.MiB // 444 MiB beside the ballast and the logs
	said, err = d.keep(t)
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "ballast: 700.0 MiB free of 10.0 GiB") || d.vacuums != 0 {
		t.Errorf("the ballast is enough: %q, %v, %d vacuums", said, err, d.vacuums)
	}
	d.free = 1200 * size.MiB // between full and spare: nothing comes or goes
	if said, err := d.keep(t); err != nil || len(said) != 0 {
		t.Errorf("between: %q, %v", said, err)
	}
	d.free = 620 * size.MiB
	said, err = d.keep(t)
	if err != nil || d.vacuums != 1 || len(said) != 2 || !strings.HasPrefix(said[1], "removed old logs") {
		t.Errorf("journal and logs: %q, %v, %d vacuums", said, err, d.vacuums)
	}
}

func TestNothingLeftToRemove(t *testing.T) {
	d := newDisk(t, 300*size.MiB)
	d.broken = errors.New("no journal")
	said, err := d.keep(t)
	if !room.Full.Is(err) || !strings.Contains(err.Error(), "have 350.0 MiB free in /var, need 512.0 MiB: no journal") {
		t.Errorf("have %q, %v, need NODE-DISK-FULL", said, err)
	}
	d.full = errors.New("no file system")
	if _, err := d.keep(t); !room.Full.Is(err) {
		t.Errorf("have %v, need NODE-DISK-FULL", err)
	}
}

func TestSpace(t *testing.T) {
	free, total, err := room.Space(t.TempDir())
	if err != nil || total <= 0 || free < 0 || free > total {
		t.Errorf("have %s of %s, %v", free, total, err)
	}
	if _, _, err := room.Space("/no such folder"); err == nil {
		t.Error("a folder that is not there has room")
	}
}
