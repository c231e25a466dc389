package vm

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/iso/iso9660"
)

func TestPersonConfig(t *testing.T) {
	display := func(name string) string { return map[string]string{"DISPLAY": ":0"}[name] }
	none := func(string) string { return "" }
	c := PersonConfig("/media/demo.iso", PersonOptions{}, none)
	if c.Console != ConsoleStdio || c.Display != "none" || c.Disks[0].Path != "/media/demo.disk.img" || !c.Disks[0].Durable || c.Order != DisksFirst {
		t.Errorf("no display: have %+v", c)
	}
	if c = PersonConfig("/media/demo.iso", PersonOptions{}, display); c.Console != ConsoleWindow || c.Display != "gtk" {
		t.Errorf("display: have console %s, display %s", c.Console, c.Display)
	}
	c = PersonConfig("/media/demo.iso", PersonOptions{
		Text: true, Firmware: UEFISecureBoot, Attach: Stick, Answers: "/a.iso", Disk: "/d.img", DiskSize: size.GiB, Memory: 8 * size.GiB, CPUs: 8,
	}, display)
	if c.Console != ConsoleStdio || c.Firmware != UEFISecureBoot || len(c.Media) != 2 || c.Media[1].Attach != Stick ||
		c.Disks[0].Path != "/d.img" || c.Memory != 8*size.GiB || c.CPUs != 8 {
		t.Errorf("all chosen: have %+v", c)
	}
}

// TestWindowless asks a stand-in for QEMU what displays it has.
func TestWindowless(t *testing.T) {
	display := func(string) string { return ":0" }
	for _, tt := range []struct {
		name, script string
		want         Console
	}{
		{"no gtk module", "[ $1$2 = -displayhelp ] && printf 'Available display backend types:\\nnone\\ndbus\\n'", ConsoleStdio},
		{"gtk", "printf 'Available display backend types:\\nnone\\ngtk\\n'", ConsoleWindow},
		{"cannot be asked", "exit 1", ConsoleWindow},
	} {
		program := filepath.Join(t.TempDir(), "qemu")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		c := PersonConfig("/demo.iso", PersonOptions{}, display)
		c.Program = program
		got, why := Windowless(t.Context(), c)
		if got.Console != tt.want || (why != "") != (tt.want == ConsoleStdio) || (got.Display == "none") != (why != "") {
			t.Errorf("%s: have %s with display %s, %q; want %s", tt.name, got.Console, got.Display, why, tt.want)
		}
		if why != "" && !strings.Contains(why, "qemu-system-gui") {
			t.Errorf("%s: have %q, want the package's name", tt.name, why)
		}
	}
}

func TestRunSaysWhatToDoWithoutAWindow(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "qemu")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), Config{Program: program, Firmware: BIOS, Dir: dir, Console: ConsoleWindow, Display: "gtk"}, nil, io.Discard, io.Discard)
	if !StartFailed.Is(err) || !strings.Contains(err.Error(), "--serial") {
		t.Errorf("have %v, want %s with a hint at --serial", err, StartFailed.Code)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	err = Run(stopped, Config{Program: program, Firmware: BIOS, Dir: dir, Console: ConsoleStdio}, nil, io.Discard, io.Discard)
	if !errors.Is(err, context.Canceled) || StartFailed.Is(err) {
		t.Errorf("have %v, want the end of the context", err)
	}
}

func TestAnswersMedium(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.iso")
	const answers = "apiVersion: caisson.dev/v1alpha1\nkind: Answers\n"
	if err := LabelledMedium(path, map[string][]byte{AnswersFile: []byte(answers), "caisson-passphrase.txt": []byte("words of a test")}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	img, err := iso9660.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(img, AnswersFile); err != nil || string(b) != answers || img.Label() != AnswersLabel {
		t.Errorf("have label %q, %q, %v", img.Label(), b, err)
	}
	if b, err := fs.ReadFile(img, "caisson-passphrase.txt"); err != nil || string(b) != "words of a test" {
		t.Errorf("the second file: have %q, %v", b, err)
	}
	alone := filepath.Join(t.TempDir(), "alone.iso")
	if err := AnswersMedium(alone, []byte(answers)); err != nil {
		t.Fatal(err)
	}
	// Somebody else's reader.
	xorriso, err := exec.LookPath("xorriso")
	if err != nil {
		t.Skip("needs xorriso")
	}
	out := filepath.Join(t.TempDir(), "out.yaml")
	if text, err := exec.Command(xorriso, "-osirrox", "on", "-indev", path, "-extract", "/"+AnswersFile, out).CombinedOutput(); err != nil {
		t.Fatalf("xorriso: %v: %s", err, text)
	}
	if b, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(b), "apiVersion") {
		t.Errorf("xorriso: have %q, %v", b, err)
	}
}
