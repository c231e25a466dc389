package vm

import (
	"context"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"caisson.dev/caisson/internal/size"
)

func allocated(t *testing.T, path string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// needQEMU skips where QEMU is not installed: the CI installs qemu-system-x86.
func needQEMU(t *testing.T, kind Firmware) {
	t.Helper()
	if _, err := Resolve(Config{Firmware: kind, Dir: t.TempDir()}); err != nil {
		t.Skipf("needs QEMU (package qemu-system-x86) and OVMF (package ovmf): %v", err)
	}
}

// bootSector prints msg on the first serial line, waits for one byte from
// there, and resets the machine through the keyboard controller. It is the
// smallest guest that shows every part of the harness but events.
func bootSector(t *testing.T, msg string) string {
	t.Helper()
	code := []byte{
		0x31, 0xc0, 0x8e, 0xd8, // xor ax,ax; mov ds,ax
		0xbe, 0x28, 0x7c, // mov si,0x7c28
		0xac, 0x84, 0xc0, 0x74, 0x06, // next: lodsb; test al,al; jz wait
		0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5, // mov dx,0x3f8; out dx,al; jmp next
		0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, // wait: mov dx,0x3fd; in al,dx; test al,1; jz wait
		0xb0, 0xfe, 0xe6, 0x64, // mov al,0xfe; out 0x64,al
		0xf4, 0xeb, 0xfd, // hlt; jmp $-1
	}
	sector := make([]byte, 1<<20)
	copy(sector, code)
	copy(sector[0x28:], msg)
	sector[510], sector[511] = 0x55, 0xaa
	path := filepath.Join(t.TempDir(), "sector.img")
	if err := os.WriteFile(path, sector, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPausedMachineAnswersQMP(t *testing.T) {
	needQEMU(t, UEFISecureBoot)
	ctx := ctxFor(t, 60*time.Second)
	dir := t.TempDir()
	v, err := Start(ctx, Config{
		Firmware: UEFISecureBoot, Paused: true, Memory: 256 * size.MiB,
		Disks: []Disk{{Path: filepath.Join(dir, "disk.img"), Size: size.GiB, Serial: "T1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(v.Config.Dir)
	defer v.Close()
	var status struct{ Status string }
	if err := v.QMP.Execute(ctx, "query-status", nil, &status); err != nil || status.Status != "prelaunch" {
		t.Errorf("have status %q, %v; want prelaunch", status.Status, err)
	}
	if err := v.Press(ctx, "ctrl", "alt", "delete"); err != nil {
		t.Error(err)
	}
	if err := v.Press(ctx, "no-such-key"); !ControlRefused.Is(err) {
		t.Errorf("have %v, want %s", err, ControlRefused.Code)
	}
	evidence := filepath.Join(dir, "evidence")
	if err := v.Save(ctx, evidence); err != nil {
		t.Error(err)
	}
	f, err := os.Open(filepath.Join(evidence, "screen.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width < 320 {
		t.Errorf("screen: have %+v, %v", c, err)
	}
	if err := v.Quit(ctx); err != nil && !strings.Contains(err.Error(), "closed connection") {
		t.Error(err)
	}
	if exit, err := v.Wait(ctx); err != nil || exit.Reason != "host-qmp-quit" {
		t.Errorf("have %+v, %v; want host-qmp-quit", exit, err)
	}
}

func TestGuestTalksAndResets(t *testing.T) {
	needQEMU(t, BIOS)
	ctx := ctxFor(t, 60*time.Second)
	v, err := Start(ctx, Config{
		Firmware: BIOS, NoReboot: true, Memory: 64 * size.MiB, CPUs: 1,
		Disks: []Disk{{Path: bootSector(t, "caisson was here\r\n"), Bus: SATA}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(v.Config.Dir)
	defer v.Close()
	if _, err := v.WaitSerial(ctx, regexp.MustCompile(`^caisson was here$`)); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteSerial([]byte("x")); err != nil {
		t.Fatal(err)
	}
	// A guest that goes off without the event: the error shows its last words.
	_, err = v.WaitEvent(ctx, "the ready event", Named("ready"))
	if !GuestStopped.Is(err) || !strings.Contains(err.Error(), "caisson was here") || !strings.Contains(err.Error(), "guest-reset") {
		t.Errorf("have %v, want %s with the reason and the last line", err, GuestStopped.Code)
	}
}

func TestPowerLossAndSilence(t *testing.T) {
	needQEMU(t, BIOS)
	ctx := ctxFor(t, 60*time.Second)
	v, err := Start(ctx, Config{
		Firmware: BIOS, Memory: 64 * size.MiB, CPUs: 1,
		Disks: []Disk{{Path: bootSector(t, "waiting"), Bus: SATA}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(v.Config.Dir)
	defer v.Close()
	if _, err := v.WaitSerial(ctx, regexp.MustCompile(`waiting`)); err != nil {
		t.Fatal(err)
	}
	// The guest restarts itself; the machine stays.
	if err := v.WriteSerial([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_, next, err := v.WaitSerialFrom(ctx, 0, regexp.MustCompile(`waiting`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = v.WaitSerialFrom(ctx, next, regexp.MustCompile(`waiting`)); err != nil {
		t.Fatal(err)
	}
	// An answer comes behind the events before it.
	if err := v.QMP.Execute(ctx, "query-status", nil, nil); err != nil || v.Resets() < 1 {
		t.Errorf("have %d resets, %v; want 1 (SeaBIOS may add one of its own)", v.Resets(), err)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := v.WaitEvent(short, "the ready event", Named("ready")); !GuestSilent.Is(err) || !strings.Contains(err.Error(), "waiting") {
		t.Errorf("have %v, want %s with the last line", err, GuestSilent.Code)
	}
	v.Kill()
	if exit, err := v.Wait(ctx); err != nil || exit.Reason != "killed" {
		t.Errorf("have %+v, %v; want killed", exit, err)
	}
}

func TestStartSaysWhyQEMUEnded(t *testing.T) {
	needQEMU(t, BIOS)
	dir := t.TempDir()
	bad := filepath.Join(dir, "vars.fd")
	if err := os.WriteFile(bad, []byte("not flash"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(ctxFor(t, 60*time.Second), Config{Dir: dir, Files: FirmwareFiles{bad, bad}})
	if !StartFailed.Is(err) || !strings.Contains(err.Error(), "-machine") {
		t.Errorf("have %v, want %s with QEMU's words and the arguments", err, StartFailed.Code)
	}
}
