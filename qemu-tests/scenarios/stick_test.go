//go:build e2e

package scenarios

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
	"caisson.dev/caisson/spec"
)

// fatStick is a second stick, as sticks are sold, that is not plugged in yet.
// mtools makes and reads it.
func fatStick(t *testing.T) vm.Medium {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stick.img")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	tool(t, "mformat", "-F", "-v", vm.AnswersLabel, "-i", path, "::")
	return vm.Medium{Path: path, Attach: vm.Stick, Writable: true, Absent: true}
}

// onto saves something by the key that the screen offers for it, again while the
// stick is not seen yet.
func onto(t *testing.T, v *vm.VM, screen *terminal, saved string) {
	t.Helper()
	for range 20 {
		overSerial(t, v, "", "ret")
		text, err := screen.until(within(t, toInstaller), saved, "STICK-MISSING")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, saved) {
			return
		}
	}
	t.Fatalf("the stick is never seen:\n%s", screen.text())
}

// moved presses a key until the keys act on the line with that label.
func moved(t *testing.T, v *vm.VM, screen *terminal, label, key string) {
	t.Helper()
	for presses := 0; focused(screen.text()) != label; presses++ {
		if presses > 20 {
			t.Fatalf("the keys never come to %q:\n%s", label, screen.text())
		}
		before := screen.text()
		overSerial(t, v, "", key)
		if _, err := screen.change(within(t, toInstaller), before); err != nil {
			t.Fatal(err)
		}
	}
}

// bundles saves a support bundle from the help of the page with that title.
func bundles(t *testing.T, v *vm.VM, screen *terminal, title string) {
	t.Helper()
	overSerial(t, v, "?", "")
	if _, err := screen.until(within(t, toInstaller), "help: "+title); err != nil {
		t.Fatal(err)
	}
	moved(t, v, screen, "Save a support bundle to a stick", "down")
	onto(t, v, screen, "The support bundle is saved: caisson-support.tar.gz")
	screen.keep(t, "bundle-saved")
	overSerial(t, v, "", "esc")
	if _, err := screen.until(within(t, toInstaller), ": "+title); err != nil {
		t.Fatal(err)
	}
}

// saves plugs the second stick in on the review, and saves answers and a support
// bundle to it.
func saves(t *testing.T, v *vm.VM, screen *terminal) {
	t.Helper()
	if err := v.Plug(within(t, toInstaller), 1); err != nil {
		t.Fatal(err)
	}
	at := focused(screen.text())
	moved(t, v, screen, "Save the answers to a stick", "down")
	onto(t, v, screen, "The answers are saved: answers.yaml on")
	screen.keep(t, "answers-saved")
	bundles(t, v, screen, "review")
	moved(t, v, screen, at, "up")
}

// offStick takes a file out of a stick's image.
func offStick(t *testing.T, stick, name string) []byte {
	t.Helper()
	b := []byte(tool(t, "mtype", "-i", stick, "::/"+name))
	if len(b) == 0 {
		t.Fatalf("%s on the stick is empty, want something in it", name)
	}
	return b
}

// savedAnswers reads the answers on the stick as the product reads them.
func savedAnswers(t *testing.T, stick string) {
	if all := strings.Fields(tool(t, "mdir", "-b", "-i", stick, "::/")); len(all) != 2 {
		t.Errorf("have %q on the stick, want answers and a bundle alone", all)
	}
	a, err := spec.ParseAnswers(offStick(t, stick, vm.AnswersFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ what, have, want string }{
		{"name", a.Name, typed["Name"]}, {"role", a.Role, spec.ControlPlane}, {"address", a.Network.Address, typed["Address"]},
		{"disk", a.Disk.Serial, diskSerial}, {"consent", a.Confirm.Erase, ""},
	} {
		if x.have != x.want {
			t.Errorf("the answers have %s %q, want %q", x.what, x.have, x.want)
		}
	}
	if len(a.Users) != 1 || a.Users[0].Name != typed["Account"] || !a.Users[0].Admin || !slices.Equal(a.Users[0].SSHKeys, []string{opsKey}) {
		t.Errorf("the answers have the users %+v, want %s with its key", a.Users, typed["Account"])
	}
}

// secretForms are what a secret of a node looks like, whoever's it is: a hash of
// a password (crypt(5)), a private key, a kubeadm token.
var secretForms = regexp.MustCompile(`\$(y|gy|7|2[aby]|6|5)\$[^\s]{20,}|PRIVATE KEY|passwordHash|\b[a-z0-9]{6}\.[a-z0-9]{16}\b`)

// supportBundle looks through every file of the bundle on the stick.
func supportBundle(t *testing.T, stick string, never ...string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(offStick(t, stick, "caisson-support.tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(h.Name)] = len(b)
		if hit := secretForms.Find(b); hit != nil {
			t.Errorf("%s in the bundle holds what looks like a secret: %.24q", h.Name, hit)
		}
		for _, n := range never {
			if bytes.Contains(b, []byte(n)) {
				t.Errorf("%s in the bundle holds %.24q, want it left out", h.Name, n)
			}
		}
	}
	t.Logf("the bundle holds %v", found)
	// The word of a program that did not start is shorter.
	for name, least := range map[string]int{"version.txt": 10, "cmdline.txt": 100, "machine.json": 300, "medium.txt": 10,
		"journal.txt": 10_000, "kernel.txt": 10_000, "blocks.txt": 200, "network.txt": 200} {
		if found[name] < least {
			t.Errorf("the bundle holds %d bytes of %s, want what it is for", found[name], name)
		}
	}
}
