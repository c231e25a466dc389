package apply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/system/fake"
	"caisson.dev/caisson/spec"
)

// bench is a confirmed plan and the medium that it came from.
type bench struct {
	confirmed plan.Confirmed
	medium    *bundle.Verified
	image     []byte
}

func newBench(t *testing.T, m machine.Machine, image []byte) bench {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.Medium(dir, image, nil); err != nil {
		t.Fatal(err)
	}
	v, err := bundle.Verify(context.Background(), os.DirFS(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := spec.Parse([]byte(installtest.Spec), "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.ParseAnswers([]byte(installtest.Answers))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = spec.Complete(loaded.Enclave, a); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(plan.Input{Machine: m, Enclave: loaded.Enclave, Spec: []byte(installtest.Spec),
		Answers: a, Bundle: v, Profile: installtest.Profile{}, Engine: distribution.Engine{}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := plan.Confirm(p, "any")
	if err != nil {
		t.Fatal(err)
	}
	return bench{c, v, image}
}

// deps acts on a fake machine; laying the registry is one more recorded call.
func (b bench) deps(sys *fake.System, m machine.Machine) apply.Deps {
	return apply.Deps{
		System: sys, Bundle: b.medium, Events: event.Discard, Version: "test", Work: "/w", Ignition: "/ignition",
		Probe: func() (machine.Machine, error) { return m, nil },
		Now:   func() time.Time { return time.Unix(1790000000, 0) },
		Lay: func(root, store string, entries []images.ViewEntry) error {
			return sys.Sync("lay " + root + " over " + store)
		},
	}
}

// old is a disk that boots something: what an install must not leave by accident.
func old(t *testing.T, sys *fake.System) {
	t.Helper()
	sectors := int64(installtest.DiskSize) / gpt.SectorSize
	table := gpt.Table{DiskGUID: gpt.FromHash("old"), Sectors: sectors, Partitions: []gpt.Partition{
		{Name: "old", Type: gpt.ESP, GUID: gpt.FromHash("old esp"), First: 4096, Last: 8191}}}
	primary, err := table.Primary()
	if err != nil {
		t.Fatal(err)
	}
	backup, err := table.Backup()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Disk.WriteAt(primary, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Disk.WriteAt(backup, (sectors-gpt.BackupSectors)*gpt.SectorSize); err != nil {
		t.Fatal(err)
	}
}

func newFake(t *testing.T) *fake.System {
	t.Helper()
	sys, err := fake.New(filepath.Join(t.TempDir(), "disk"), int64(installtest.DiskSize))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sys.Disk.Close() })
	old(t, sys)
	return sys
}

func TestOrder(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(3<<20+4096))
	sys := newFake(t)
	var journal, events bytes.Buffer
	d := b.deps(sys, m)
	d.Journal = &journal
	d.Events = func(e event.Event) { events.WriteString(e.Name + " " + e.Message + "\n") }
	rec, err := apply.Run(context.Background(), b.confirmed, d)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "calls.txt", []byte(strings.Join(sys.Calls, "\n")+"\n"))
	golden.Equal(t, "journal.txt", journal.Bytes())
	js, err := rec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "record.json", js)
	if _, err := record.Parse(sys.Files["/w/root"+record.Path]); err != nil {
		t.Errorf("the record on the node: %v", err)
	}
	p := b.confirmed.Plan()
	_, start, _ := p.Partition("SLOT_A")
	slot := make([]byte, len(b.image))
	if _, err := sys.Disk.ReadAt(slot, start); err != nil || !bytes.Equal(slot, b.image) {
		t.Errorf("the slot does not hold the image: %v", err)
	}
	if sgdisk, err := exec.LookPath("sgdisk"); err != nil {
		t.Log("sgdisk is not installed: the table is judged by package gpt only")
	} else if out, err := exec.Command(sgdisk, "-v", sys.Disk.Name()).CombinedOutput(); err != nil || !strings.Contains(string(out), "No problems found") {
		t.Errorf("sgdisk: %v\n%s", err, out)
	}
	for _, secret := range []string{"hello", "ExecStart"} { // of the rendered configuration
		if strings.Contains(events.String()+journal.String()+string(js), secret) {
			t.Errorf("%q of the configuration is in an event, the journal or the record", secret)
		}
	}
}

// boots is what firmware makes of a disk: it follows a table, and our table is
// followed to something only if everything else was written.
func boots(sys *fake.System) (table, entry bool) {
	_, err := gpt.Parse(sys.Disk, int64(installtest.DiskSize)/gpt.SectorSize)
	for path := range sys.Files {
		entry = entry || strings.Contains(path, "/loader/entries/")
	}
	return err == nil, entry
}

func blank(t *testing.T, sys *fake.System) bool {
	t.Helper()
	head, tail := make([]byte, 1<<20), make([]byte, 512)
	if _, err := sys.Disk.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Disk.ReadAt(tail, int64(installtest.DiskSize)-512); err != nil {
		t.Fatal(err)
	}
	return len(machine.Detect(head, tail)) == 0
}

// TestPowerLoss pulls the power before every single call. After the first write
// and before the last, the disk must have no table that anything could boot
// from; and the installer must call it blank, so that it starts again.
func TestPowerLoss(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(64<<10))
	whole := newFake(t)
	if _, err := apply.Run(context.Background(), b.confirmed, b.deps(whole, m)); err != nil {
		t.Fatal(err)
	}
	// The first write to the disk, the end of clearing it, and the write that
	// makes it boot.
	var first, cleared, last int
	for i, c := range whole.Calls {
		switch {
		case strings.HasPrefix(c, "disk write 1048576 at 0"):
			first = i + 1
		case strings.HasPrefix(c, "disk partition"):
			cleared = i
		case strings.HasPrefix(c, "disk write 17408 at 0"):
			last = i + 1
		}
	}
	for from := range 4 { // in parallel: most of the time is the disk's
		t.Run(fmt.Sprintf("calls %d, %d, ...", from+1, from+5), func(t *testing.T) {
			t.Parallel()
			for at := 1 + from; at <= len(whole.Calls); at += 4 {
				sys := newFake(t)
				sys.FailAt = at
				_, err := apply.Run(context.Background(), b.confirmed, b.deps(sys, m))
				if !errors.Is(err, fake.ErrPower) {
					t.Fatalf("power lost before call %d (%s): got %v", at, whole.Calls[at-1], err)
				}
				table, entry := boots(sys)
				switch {
				case at <= first && !table:
					t.Errorf("before call %d (%s): nothing was written, but the old table is gone", at, whole.Calls[at-1])
				case at > first && at <= last && table:
					t.Errorf("before call %d (%s): the disk has a table in the middle of an install", at, whole.Calls[at-1])
				case at > cleared && at <= last && !blank(t, sys):
					t.Errorf("before call %d (%s): the installer would not start again on this disk", at, whole.Calls[at-1])
				case at > last && !(table && entry):
					t.Errorf("before call %d (%s): everything was written, but table %v, entry %v", at, whole.Calls[at-1], table, entry)
				}
				sys.Disk.Close()
			}
		})
	}
}

// TestDeviceLies reads something else back than was written.
func TestDeviceLies(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(1<<20))
	for _, corrupt := range []string{"disk", "/w/root/usr/local/bin/kubelet", "/w/root/efi/EFI/BOOT/BOOTX64.EFI"} {
		sys := newFake(t)
		sys.Corrupt = corrupt
		_, err := apply.Run(context.Background(), b.confirmed, b.deps(sys, m))
		if !apply.ReadBack.Is(err) {
			t.Errorf("%s read back wrong: %v", corrupt, err)
		}
		if table, _ := boots(sys); table {
			t.Errorf("%s read back wrong, and the disk boots", corrupt)
		}
		if mounts, unmounts := count(sys.Calls, "mount "), count(sys.Calls, "unmount "); mounts != unmounts {
			t.Errorf("%s: %d mounts, %d unmounts", corrupt, mounts, unmounts)
		}
	}
}

func TestChangedHardware(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(1<<20))
	sys := newFake(t)
	m.Disks = append([]machine.Disk(nil), m.Disks...)
	m.Disks[0].Serial = "another"
	if _, err := apply.Run(context.Background(), b.confirmed, b.deps(sys, m)); !plan.Stale.Is(err) || len(sys.Calls) > 0 {
		t.Errorf("want PLAN-STALE and no call, got %v and %v", err, sys.Calls)
	}
}

func TestStopped(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(1<<20))
	sys := newFake(t)
	ctx, stop := context.WithCancel(context.Background())
	d := b.deps(sys, m)
	d.Events = func(e event.Event) {
		if e.Data["kind"] == string(plan.CopyFiles) {
			stop()
		}
	}
	if _, err := apply.Run(ctx, b.confirmed, d); !apply.Stopped.Is(err) {
		t.Errorf("want INSTALL-STOPPED, got %v", err)
	}
	if last := sys.Calls[len(sys.Calls)-1]; last != "disk close" {
		t.Errorf("the last call was %q", last)
	}
}

func count(calls []string, prefix string) int {
	n := 0
	for _, c := range calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}
