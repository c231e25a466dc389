package node

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

func (b *bench) Medium(string) error { return b.gone }
func (b *bench) Keep(_ string, image io.Reader, n int64) error {
	var err error
	b.kept, err = io.Copy(io.Discard, image)
	if b.kept != n {
		b.t.Errorf("the system is kept with %d bytes, want %d", b.kept, n)
	}
	return err
}

// TestPulledMedium: nothing is written without a medium, the same is said once on
// the port, and a medium that is back goes on with the plan that was made.
func TestPulledMedium(t *testing.T) {
	b := newBench(t)
	h := newHost(t, b)
	pulled := func() { b.gone = MediumGone.New("cannot read the medium: have none, need it") }
	pulled()
	if _, err := h.Verify(t.Context(), func(int64, int64) {}); !MediumGone.Is(err) {
		t.Errorf("check: have %v, want MEDIUM-GONE", err)
	}
	b.gone = nil
	if _, err := h.Verify(t.Context(), func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	blobs := filepath.Join(h.c.Medium, bundle.BlobDir)
	_, err := h.Verify(t.Context(), func(int64, int64) {
		if b.gone == nil {
			pulled()
			_ = os.Rename(blobs, blobs+".away")
		}
	})
	if back := os.Rename(blobs+".away", blobs); !MediumGone.Is(err) || back != nil {
		t.Errorf("pulled within the check: have %v, want MEDIUM-GONE (%v)", err, back)
	}
	b.gone = nil
	if _, err := h.Verify(t.Context(), func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if b.kept == 0 {
		t.Error("the running system was left on the medium")
	}
	p, err := h.Plan(spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Name: "node7", Role: spec.ControlPlane,
		Disk: spec.Disk{Serial: "D1"}, Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.17/24"}, After: "poweroff"})
	if err != nil {
		t.Fatal(err)
	}
	pulled()
	b.port.Reset()
	for range 3 {
		if err := h.Watch(t.Context()); !MediumGone.Is(err) {
			t.Errorf("watch: have %v, want MEDIUM-GONE", err)
		}
	}
	if said := b.events(); len(said) != 1 || said[0].Code != MediumGone.Code {
		t.Errorf("have %+v on the port, want MEDIUM-GONE once", said)
	}
	if _, err := h.Install(t.Context(), p, "serial:D1", event.Discard); !MediumGone.Is(err) || len(b.sys.Calls) > 0 {
		t.Errorf("have %v after %v, want MEDIUM-GONE and no act", err, b.sys.Calls)
	}
	b.gone = nil
	if err := h.Watch(t.Context()); err != nil {
		t.Error(err)
	}
	// Pulled within the install: that is what is said, not what failed first.
	_, err = h.Install(t.Context(), p, "serial:D1", func(e event.Event) {
		if e.Name == "step" && e.Data["kind"] == "write-image" {
			pulled()
			b.sys.FailAt = len(b.sys.Calls) + 1
		}
	})
	if !MediumGone.Is(err) {
		t.Errorf("have %v, want MEDIUM-GONE", err)
	}
}

func TestHoldsVolume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "medium.iso")
	b := make([]byte, 64<<10)
	copy(b[descriptor:], "\x01CD001\x01")
	copy(b[descriptor+40:], "CAISSON_0123ABCD                ")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		t.Skipf("files here are always cached: %v", err)
	}
	unix.Close(fd)
	if err := holdsVolume(path, "CAISSON_0123ABCD"); err != nil {
		t.Error(err)
	}
	if holdsVolume(path, "CAISSON_FFFFFFFF") == nil || holdsVolume(path+".gone", "CAISSON_0123ABCD") == nil || holdsVolume("", "") == nil {
		t.Error("another label, or no device, holds the volume")
	}
	if err := os.Truncate(path, 20_000); err != nil || holdsVolume(path, "CAISSON_0123ABCD") == nil {
		t.Errorf("half a medium holds the volume (%v)", err)
	}
}

func TestLiveLabel(t *testing.T) {
	for line, want := range map[string]string{"root=live:CDLABEL=CAISSON_0123ABCD ro caisson.live": "CAISSON_0123ABCD", "root=/dev/mapper/root": "", "": ""} {
		if have := liveLabel(line); have != want {
			t.Errorf("%q: have %q, want %q", line, have, want)
		}
	}
	mounts := "/dev/sda /run/initramfs/live iso9660 ro 0 0\n/dev/loop0 /run/rootfsbase squashfs ro 0 0\n/dev/sdb /run/initramfs/live iso9660 ro 0 0\n"
	if have := sourceOf(mounts, "/run/initramfs/live"); have != "/dev/sdb" {
		t.Errorf("have %q, want the mount on top", have)
	}
}

func TestLoopsOn(t *testing.T) {
	block := t.TempDir()
	for device, file := range map[string]string{"loop0": "/caisson/blobs/sha256/abcd", "loop1": "/run/initramfs/live/caisson/blobs/sha256/abcd",
		"loop2": "/srv/abcd.img", "sda": "/abcd", "loop3": ""} {
		dir := filepath.Join(block, device, "loop")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if file == "" {
			continue // nothing is behind it
		}
		if err := os.WriteFile(filepath.Join(dir, "backing_file"), []byte(file+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := loopsOn(block, "abcd"); err != nil || !slices.Equal(have, []string{"/dev/loop0", "/dev/loop1"}) {
		t.Errorf("have %v, %v; want loop0 and loop1", have, err)
	}
}
