package apply_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/nodeos"
)

// TestRealDisk installs onto a loop device with everything real: the kernel's
// partitions, mkfs, mounts, files, the registry's hard links. It needs root and
// loop devices. A kernel without FAT gets a folder in place of the ESP's mount,
// and CAISSON_TEST_IGNITION may name an Ignition program to run.
func TestRealDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for losetup, mkfs and mount")
	}
	for _, tool := range []string{"losetup", "mksquashfs", "mkfs.ext4", "mkfs.vfat", "sfdisk", "systemctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	image := squashfs(t, dir)
	raw := filepath.Join(dir, "disk")
	if err := os.WriteFile(raw, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(raw, int64(installtest.DiskSize)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", "--partscan", raw).Output()
	if err != nil {
		t.Skipf("losetup gives no loop device: %v", err)
	}
	loop := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("losetup", "-d", loop).Run() })

	m := installtest.Machine()
	m.Disks[0].Name, m.Disks[0].IDs, m.Disks[0].Serial = filepath.Base(loop), nil, ""
	b := newBench(t, m, image)
	var log bytes.Buffer
	sys := &testbed{Linux: system.Linux{Log: &log}, t: t, esp: filepath.Join(dir, "esp")}
	work := filepath.Join(dir, "work")
	deps := apply.Deps{
		System: sys, Bundle: b.medium, Lay: images.Lay, Events: event.Discard, Version: "test", Work: work,
		Ignition: os.Getenv("CAISSON_TEST_IGNITION"),
		Probe:    func() (machine.Machine, error) { return m, nil },
		Now:      time.Now,
	}
	// The second run finds the first one's disk, as a rerun does.
	for range 2 {
		if _, err := apply.Run(context.Background(), b.confirmed, deps); err != nil {
			t.Fatal(err)
		}
		look(t, loop, b, sys)
	}
	if strings.Contains(log.String(), installtest.PasswordHash) {
		t.Error("a password hash is in the log")
	}
	if mounts, _ := os.ReadFile("/proc/mounts"); strings.Contains(string(mounts), work) {
		t.Errorf("something is still mounted:\n%s", mounts)
	}
}

// look reads the disk as the node will find it.
func look(t *testing.T, loop string, b bench, sys *testbed) {
	t.Helper()
	if out, err := exec.Command("sfdisk", "--verify", loop).CombinedOutput(); err != nil || !strings.Contains(string(out), "No errors") {
		t.Errorf("sfdisk: %v\n%s", err, out)
	}
	// By the place that the table says; a kernel need not read GPT itself.
	_, start, length := b.confirmed.Plan().Partition(nodeos.State)
	state := t.TempDir()
	if out, err := exec.Command("mount", "-t", "ext4", "-o", fmt.Sprintf("ro,loop,offset=%d,sizelimit=%d", start, length), loop, state).CombinedOutput(); err != nil {
		t.Fatalf("STATE: %v\n%s", err, out)
	}
	defer func() { _ = exec.Command("umount", state).Run() }()
	for _, want := range []string{"bind/usr-local/bin/kubelet", "etc/upper/caisson/carried", "lib/caisson/carried",
		"lib/caisson/manifest.json", "lib/caisson/caisson.yaml", "lib/caisson/answers.json", "lib/caisson/plan.json", "lib/caisson/record.json", "log/journal"} {
		if _, err := os.Stat(filepath.Join(state, want)); err != nil {
			t.Error(err)
		}
	}
	if os.Getenv("CAISSON_TEST_IGNITION") != "" {
		for _, want := range []string{"etc/upper/caisson/hello", "etc/upper/hostname", "etc/upper/systemd/system/multi-user.target.wants/caisson-test.service"} {
			if _, err := os.Lstat(filepath.Join(state, want)); err != nil {
				t.Error(err)
			}
		}
	}
	for _, e := range b.confirmed.Plan().View() {
		if _, err := os.Stat(filepath.Join(state, strings.TrimPrefix(images.Root, "/var"), e.Path)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(sys.esp, "loader/loader.conf")); sys.noFAT && err != nil {
		t.Error(err)
	}
}

// squashfs makes an OS image with every mount point: a real one if
// CAISSON_TEST_OS names it.
func squashfs(t *testing.T, dir string) []byte {
	t.Helper()
	path := os.Getenv("CAISSON_TEST_OS")
	if path == "" {
		tree := filepath.Join(dir, "tree")
		dirs := []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/var", "/run", "/tmp", "/efi"}
		for _, b := range nodeos.Binds() {
			dirs = append(dirs, b.Path)
		}
		for _, d := range dirs {
			if err := os.MkdirAll(tree+d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		path = filepath.Join(dir, "os.squashfs")
		if out, err := exec.Command("mksquashfs", tree, path, "-quiet", "-no-progress").CombinedOutput(); err != nil {
			t.Fatalf("mksquashfs: %v\n%s", err, out)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testbed is Linux, with the two stand-ins that the test names.
type testbed struct {
	system.Linux
	t     *testing.T
	esp   string
	noFAT bool
}

func (s *testbed) Mount(m system.Mount) error {
	known, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	if m.Type == "vfat" && !slices.Contains(strings.Fields(string(known)), "vfat") {
		if !s.noFAT {
			s.t.Log("this kernel has no FAT: a folder stands in for the ESP")
		}
		s.noFAT = true
		if err := os.MkdirAll(s.esp, 0o755); err != nil {
			return err
		}
		return s.Linux.Mount(system.Mount{Source: s.esp, Target: m.Target, Bind: true})
	}
	return s.Linux.Mount(m)
}

func (s *testbed) Run(ctx context.Context, c system.Command) error {
	if c.Argv[0] == "" {
		s.t.Log("CAISSON_TEST_IGNITION is not set: the configuration is not applied")
		return nil
	}
	return s.Linux.Run(ctx, c)
}
