package build

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// programs puts shell scripts in place of the tools, and nothing else on PATH.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// all are stand-ins for every tool, that succeed; but is the body of some.
func all(but map[string]string) map[string]string {
	out := map[string]string{}
	for name := range tools {
		out[name] = "exit 0"
	}
	for name, body := range but {
		out[name] = body
	}
	return out
}

func TestRootMode(t *testing.T) {
	for _, c := range []struct {
		name    string
		scripts map[string]string
		uid     int
		mode    string
		errs    []string // in the error
	}{
		{"root", all(nil), 0, "root", nil},
		{"a user with a range of ids", all(nil), 1000, "unshare", nil},
		{"a user without", all(map[string]string{"unshare": "echo no range; exit 1"}), 1000, "",
			[]string{"OS-BUILD-RIGHTS: ", "have uid 1000 without", "(no range)", "/etc/subuid", "as root"}},
		{"root needs no range", all(map[string]string{"unshare": "exit 1"}), 0, "root", nil},
		{"no tools", nil, 0, "", []string{"OS-TOOL-MISSING: ", "is not on this machine", "apt install "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			programs(t, c.scripts)
			mode, err := rootMode(t.Context(), c.uid)
			if mode != c.mode || (err == nil) != (c.errs == nil) {
				t.Fatalf("have %q, %v, want %q", mode, err, c.mode)
			}
			for _, want := range c.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("have %v, want %q in it", err, want)
				}
			}
		})
	}
	for tool, pkg := range tools {
		scripts := all(nil)
		delete(scripts, tool)
		programs(t, scripts)
		if _, err := rootMode(t.Context(), 0); !toolMissing.Is(err) || !strings.Contains(err.Error(), "program "+tool+" ") || !strings.HasSuffix(err.Error(), "apt install "+pkg) {
			t.Errorf("without %s: have %v", tool, err)
		}
	}
}

// TestToolsFail lets each tool end badly: its last words are shown, and a full
// disk is called one, however much was said after it.
func TestToolsFail(t *testing.T) {
	full := "echo 'write failed: No space left on device' >&2; i=0; while [ $i -lt 40 ]; do echo cleaning >&2; i=$((i+1)); done; exit 25"
	for _, c := range []struct {
		name, body string
		code       string
		text, hint string
	}{
		{"a package's script", "echo 'postinst: cannot start' >&2; exit 1", "OS-BUILD-FAILED", "ended with exit status 1; its last words:\n  postinst: cannot start", "os.packages"},
		{"a full disk", full, "DISK-FULL", "cannot write to ", "TMPDIR"},
		{"a quota", "echo 'Disk quota exceeded'>&2; exit 1", "DISK-FULL", "free, need more", "TMPDIR"},
		{"apt's own words", `echo "E: You don't have enough free space in /var/cache/apt/archives/." >&2; exit 100`, "DISK-FULL", "cannot write to ", "TMPDIR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := bundle.OpenStore(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			in, base := smallInput(t, store, baseTar(t))
			drain := "PATH=/usr/bin:/bin; cat >/dev/null; "
			programs(t, all(map[string]string{"mmdebstrap": c.body, "mksquashfs": drain + c.body}))
			silent := func(string, int64, int64) {}
			_, _, first := mmdebstrap(t.Context(), "root", t.TempDir(), nil, in.Epoch, store, silent)
			_, second := makeImage(t.Context(), in, base, digest.Of(nil), store, silent)
			for tool, err := range map[string]error{"mmdebstrap": first, "mksquashfs": second} {
				if err == nil || !strings.HasPrefix(err.Error(), c.code+": ") || !strings.Contains(err.Error(), c.text) ||
					!strings.Contains(err.Error(), c.hint) || !strings.Contains(err.Error(), tool) {
					t.Errorf("%s: have %v, want %s, %q, %q", tool, err, c.code, c.text, c.hint)
				}
			}
		})
	}
}

func TestLaidOut(t *testing.T) {
	dir := t.TempDir()
	if err := laid(dir, &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}); !bundle.DiskFull.Is(err) || !strings.Contains(err.Error(), "cannot write to "+dir) {
		t.Errorf("a full disk: have %v", err)
	}
	if err := laid(dir, fs.ErrPermission); err != fs.ErrPermission {
		t.Errorf("another error: have %v", err)
	}
}

func TestInputsAreMissing(t *testing.T) {
	if _, err := bootPieces(nil); !inputMissing.Is(err) || !strings.Contains(err.Error(), "OS-INPUT-MISSING: cannot build the node OS: have 0 boot files, need os/boot/shim") {
		t.Errorf("no boot files: have %v", err)
	}
	programs(t, all(map[string]string{"dpkg-deb": "echo Package: twice"}))
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var debs []bundle.Artifact
	for _, text := range []string{"a", "b"} {
		d, n, err := store.Put(t.Context(), strings.NewReader(text), "")
		if err != nil {
			t.Fatal(err)
		}
		debs = append(debs, bundle.Artifact{Name: "os/base/" + text, Digest: d, Size: n})
	}
	if _, err := localArchive(t.Context(), filepath.Join(t.TempDir(), "archive"), debs, store); !inputMissing.Is(err) || !strings.Contains(err.Error(), "package twice twice") {
		t.Errorf("a package twice: have %v", err)
	}
}

// TestSweep: old scratch of this user's goes, by the namespace's own rm; new
// scratch, other users' and what only has the name stay.
func TestSweep(t *testing.T) {
	if _, err := exec.LookPath("rm"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	age := func(name string, hours time.Duration) {
		at := time.Now().Add(-hours * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"caisson-nodeos-old/root", "caisson-nodeos-new", "another"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "caisson-nodeos-file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	age("caisson-nodeos-old", 49)
	age("caisson-nodeos-new", 47)
	age("caisson-nodeos-file", 49)
	age("another", 49)
	programs(t, map[string]string{"unshare": `[ "$1 $2 $3" = "--user --map-auto --map-root-user" ] || exit 1; shift 3; exec "$@"`})
	left := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " ")
	}
	sweep(t.Context(), dir, os.Geteuid()+1)
	if have, want := left(), "another caisson-nodeos-file caisson-nodeos-new caisson-nodeos-old"; have != want {
		t.Errorf("another user's sweep left %q, want %q", have, want)
	}
	sweep(t.Context(), dir, os.Geteuid())
	if have, want := left(), "another caisson-nodeos-file caisson-nodeos-new"; have != want {
		t.Errorf("have %q left, want %q", have, want)
	}
}
