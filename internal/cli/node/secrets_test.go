package node

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

func sealedMedium(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.SealedMedium(dir, installtest.OSImage(64<<10)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// leaks are the places that hold the passphrase or a secret and may not.
func (b *bench) leaks(t *testing.T, said ...string) (found []string) {
	t.Helper()
	places := map[string]string{"what was said": strings.Join(said, "\n"), "the calls": strings.Join(b.sys.Calls, "\n")}
	for path, raw := range b.sys.Files {
		if !strings.Contains(path, "/etc/kubernetes/") || strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, "/encryption.yaml") {
			places[path] = string(raw)
		}
	}
	err := filepath.WalkDir(b.scratch, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			raw, err := os.ReadFile(p)
			places[p] = string(raw)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := writeSupport(&archive, supportParts(context.Background(), &run{env: b, root: b.scratch}, machine.Machine{}, "demo"), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&archive)
	if err != nil {
		t.Fatal(err)
	}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		places["the support bundle's "+h.Name] = string(raw)
	}
	if places["the support bundle's caisson-support/"+journalName] == "" && len(b.sys.Calls) > 0 {
		t.Error("the support bundle has no journal: the search is broken")
	}
	for place, text := range places {
		if strings.Contains(text, installtest.Passphrase) || strings.Contains(text, installtest.SecretMarker) {
			found = append(found, place)
		}
	}
	return found
}

// placed counts the files that the marker is in: two keys and the encryption's.
func (b *bench) placed() (n int) {
	for path, raw := range b.sys.Files {
		if strings.Contains(path, "/etc/kubernetes/") && strings.Contains(string(raw), installtest.SecretMarker) {
			n++
		}
	}
	return n
}

func TestSealedUnattended(t *testing.T) {
	b := newBench(t)
	b.second, b.phrase = installtest.Answers, installtest.Passphrase+"\n"
	status, out, errs := b.run("install", "--unattended", "--medium", sealedMedium(t))
	port := b.port.String()
	if status != 0 || b.placed() != 3 || !strings.Contains(port, `"name":"secrets.ok"`) {
		t.Fatalf("status %d, %d files are placed\n%s\n%s", status, b.placed(), out, errs)
	}
	if found := b.leaks(t, out, errs, port); len(found) > 0 {
		t.Errorf("a secret is in %q", found)
	}
}

// TestSealedUnattendedRefuses: without what opens them, and with what does not,
// nothing is written.
func TestSealedUnattendedRefuses(t *testing.T) {
	dir := sealedMedium(t)
	file := filepath.Join(t.TempDir(), "phrase")
	if err := os.WriteFile(file, []byte(installtest.Passphrase), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, phrase, flag string
		at                 time.Time
		code               string
		worker             bool
	}{
		{name: "no passphrase", code: "PASSPHRASE-NONE"},
		{name: "another passphrase", phrase: "another one altogether", code: "SECRETS-PASSPHRASE"},
		{name: "an empty file", phrase: "\n", code: "SECRETS-PASSPHRASE"},
		{name: "a file that is not there", flag: file + ".gone", code: "PASSPHRASE-NONE"},
		{name: "a clock of long ago", phrase: installtest.Passphrase, at: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), code: "SECRETS-OUT-OF-TIME"},
		{name: "the passphrase by a flag", flag: file},
		{name: "a worker needs none", worker: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.second, b.phrase = installtest.Answers, c.phrase
			if c.worker {
				b.second = "apiVersion: caisson.dev/v1alpha1\nkind: Answers\nname: w1\nrole: worker\nnetwork: {interface: none, address: 10.20.0.13/24}\nconfirm: {erase: any}\n"
			}
			if !c.at.IsZero() {
				b.now = func() time.Time { return c.at }
			}
			args := []string{"install", "--unattended", "--medium", dir}
			if c.flag != "" {
				args = append(args, "--passphrase-file", c.flag)
			}
			status, out, errs := b.run(args...)
			port := b.port.String()
			all := b.events()
			last := all[len(all)-1]
			switch {
			case c.code == "" && (status != 0 || len(b.sys.Calls) == 0 || b.placed() != map[bool]int{true: 0, false: 3}[c.worker]):
				t.Errorf("status %d, %d placed: %s", status, b.placed(), errs)
			case c.code != "" && (status == 0 || last.Code != c.code || last.Data["disk"] != "not written" || len(b.sys.Calls) > 0):
				t.Errorf("status %d, done %+v, calls %v", status, last, b.sys.Calls)
			}
			if found := b.leaks(t, out, errs, port); len(found) > 0 {
				t.Errorf("a secret is in %q", found)
			}
		})
	}
}

// TestHostOpensSecrets: the screens' host keeps what was opened for the install of
// that medium, and gives none of it away.
func TestHostOpensSecrets(t *testing.T) {
	b := newBench(t)
	b.stick = t.TempDir()
	var said bytes.Buffer
	r := &run{ctx: t.Context(), in: strings.NewReader(""), out: &said, errw: &said, root: b.scratch, now: b.now, env: b}
	h := &host{c: installCmd{Medium: sealedMedium(t), Screens: true}, r: r, v: r.voiceOf("installer", event.Lines(&said, "installer"))}
	facts, err := h.Verify(t.Context(), func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	if facts.Secrets == nil || len(facts.SecretRoles) != 1 || facts.SecretRoles[0] != spec.ControlPlane {
		t.Fatalf("the facts are %+v, %v", facts.Secrets, facts.SecretRoles)
	}
	a, err := spec.ParseAnswers([]byte(installtest.Answers))
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Plan(a)
	if err != nil {
		t.Fatal(err)
	}
	install := func() error {
		_, err := h.Install(t.Context(), p, "any", event.Discard)
		return err
	}
	if err := h.OpenSecrets(t.Context(), installtest.Passphrase+"?"); err == nil || !strings.HasPrefix(err.Error(), "SECRETS-PASSPHRASE: ") {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if err := install(); err == nil || !strings.HasPrefix(err.Error(), "SECRETS-NOT-OPENED: ") || len(b.sys.Calls) > 0 {
		t.Errorf("not opened: %v after %v", err, b.sys.Calls)
	}
	if err := h.OpenSecrets(t.Context(), installtest.Passphrase); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Verify(t.Context(), func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if err := install(); err == nil || !strings.HasPrefix(err.Error(), "SECRETS-NOT-OPENED: ") {
		t.Errorf("what was opened before another check counts: %v", err)
	}
	if err := h.OpenSecrets(t.Context(), installtest.Passphrase); err != nil {
		t.Fatal(err)
	}
	if err := install(); err != nil || b.placed() != 3 {
		t.Fatalf("%d placed: %v", b.placed(), err)
	}
	if _, err := h.SaveAnswers(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	saved, err := os.ReadFile(filepath.Join(b.stick, "answers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if found := b.leaks(t, said.String(), b.port.String(), string(saved)); len(found) > 0 {
		t.Errorf("a secret is in %q", found)
	}
}
