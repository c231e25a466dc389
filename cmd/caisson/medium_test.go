package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/iso"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/iso/isotest"
)

// writeMedium makes a small ISO with all that a real one has: the installer's
// test medium with boot pieces that do not boot. It is the same at every run.
func writeMedium(t *testing.T, path string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	must(installtest.Medium(dir, installtest.OSImage(1<<20), nil))
	raw, err := os.ReadFile(filepath.Join(dir, bundle.ManifestPath))
	must(err)
	m, err := bundle.ReadManifest(raw)
	must(err)
	names := map[digest.Digest]string{}
	for _, p := range m.Payload {
		names[p.Digest] = p.Name
	}
	for i := range m.Images {
		m.Images[i].Total = m.Images[i].Size
	}
	rescue, err := isotest.Rescue(iso.MenuModules, "")
	must(err)
	bios, err := iso.ReadBIOS(bytes.NewReader(rescue), int64(len(rescue)), isotest.Hybrid())
	must(err)
	program := func(name string) []byte { return isotest.Program(name, isotest.X8664, 8) }
	medium := iso.Medium{Label: "CAISSON_01234567", Release: m.Release, Title: "Caisson " + m.Enclave, Epoch: m.Epoch,
		Sealed: []string{bundle.ManifestPath, bundle.SumPath}, EFI: iso.EFI{Shim: program("shim"), Grub: program("grub"), MokManager: program("mm")},
		BIOS: bios, Command: "caisson.live", Entries: []iso.Entry{{ID: "install", Title: "Install " + m.Release}}}
	for _, p := range []string{iso.KernelPath, iso.InitrdPath} {
		medium.Files = append(medium.Files, iso.File{Path: p, Size: int64(len(p)), Digest: digest.Of([]byte(p)),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(p))), nil }})
	}
	known := map[string]bundle.File{}
	for _, f := range m.Files {
		if f.Name = names[f.Digest]; f.Name != "" {
			f.Source = "pkg:golang/example.org/" + f.Name + "@v1.2.3"
		}
		known[f.Path] = f
		medium.Files = append(medium.Files, iso.File{Path: f.Path, Size: f.Size, Digest: f.Digest,
			Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, f.Path)) }})
	}
	draft, err := iso.New(medium)
	must(err)
	m.Files = nil
	for _, l := range draft.Files() {
		f, ok := known[l.Path]
		if !ok {
			f = bundle.File{Path: l.Path, Size: l.Size, Digest: l.Digest, Kind: "boot"}
		}
		m.Files = append(m.Files, f)
	}
	raw, err = canon.JSON(m)
	must(err)
	image, err := draft.Seal(bundle.SealManifest(raw))
	must(err)
	_, err = image.WriteFile(t.Context(), path, iso9660.Options{})
	must(err)
}

// commands are what the scripts do to media, and how they ask for an exit status.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	// status N PROGRAM ARG... runs a program that must end with that status.
	"status": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: status N program args...")
		}
		have := 0
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				ts.Check(err)
			}
			have = exit.ExitCode()
		}
		if fmt.Sprint(have) != args[0] {
			ts.Fatalf("have exit status %d, want %s", have, args[0])
		}
	},
	// await FILE waits until another program has made the file.
	"await": func(ts *testscript.TestScript, neg bool, args []string) {
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
				return
			}
		}
		ts.Fatalf("have no %s after 20 s", args[0])
	},
	// resize FILE +N|-N makes a file longer, by bytes of somebody else, or shorter.
	"resize": func(ts *testscript.TestScript, neg bool, args []string) {
		path := ts.MkAbs(args[0])
		by, err := strconv.Atoi(args[1])
		ts.Check(err)
		info, err := os.Stat(path)
		ts.Check(err)
		ts.Check(os.Truncate(path, info.Size()+min(int64(by), 0)))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		ts.Check(err)
		defer f.Close()
		_, err = f.Write(bytes.Repeat([]byte("old"), max(by, 0)/3+1)[:max(by, 0)])
		ts.Check(err)
	},
	// flip ISO PATH changes one bit in the middle of a file on the medium.
	"flip": func(ts *testscript.TestScript, neg bool, args []string) {
		f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
		ts.Check(err)
		defer f.Close()
		info, err := f.Stat()
		ts.Check(err)
		fsys, err := iso9660.Open(f, info.Size())
		ts.Check(err)
		parts, err := fsys.Extents(args[1])
		ts.Check(err)
		one, at := make([]byte, 1), parts[0].Offset+parts[0].Size/2
		_, err = f.ReadAt(one, at)
		ts.Check(err)
		one[0] ^= 1
		_, err = f.WriteAt(one, at)
		ts.Check(err)
	},
}
