package apply_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// sealedBench is a bench whose medium brings sealed secrets, and those, opened.
func sealedBench(t *testing.T, m machine.Machine) (bench, *secrets.Set) {
	t.Helper()
	return sealedFor(t, m, installtest.Profile{})
}

func sealedFor(t *testing.T, m machine.Machine, profile profiles.Profile) (bench, *secrets.Set) {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.SealedMedium(dir, installtest.OSImage(1<<20)); err != nil {
		t.Fatal(err)
	}
	v, err := bundle.Verify(context.Background(), os.DirFS(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := spec.Parse([]byte(installtest.SealedSpec), "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.Complete(loaded.Enclave, spec.Answers{Node: "node1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(plan.Input{Machine: m, Enclave: loaded.Enclave, Spec: []byte(installtest.SealedSpec),
		Answers: a, Bundle: v, Profile: profile, Engine: distribution.Engine{}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := plan.Confirm(p, "any")
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.OpenPath(bundle.SecretsPath)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	set, err := secrets.Open(sealed, *v.Manifest().Secrets, installtest.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return bench{c, v, nil}, set
}

// TestSecretsArePlaced: with their modes, after the configuration, read back; and
// neither the journal, the events, the plan nor the record has anything of them.
func TestSecretsArePlaced(t *testing.T) {
	m := installtest.Machine()
	b, set := sealedBench(t, m)
	sys := newFake(t)
	d := b.deps(sys, m)
	var said bytes.Buffer
	d.Secrets, d.Journal, d.Events = set, &said, event.Lines(&said, "test")
	rec, err := apply.Run(t.Context(), b.confirmed, d)
	if err != nil {
		t.Fatal(err)
	}
	begun := slices.IndexFunc(sys.Calls, func(c string) bool {
		return strings.HasPrefix(c, "mkdir /w/root/etc/kubernetes/apiserver -rwx------ gid 0")
	})
	ignition := slices.IndexFunc(sys.Calls, func(c string) bool { return strings.Contains(c, "preset-all") })
	if begun < 0 || begun < ignition {
		t.Errorf("the secrets are placed at call %d, the node is configured at %d", begun, ignition)
	}
	for _, f := range set.Files() {
		path := "/w/root" + f.Path
		if string(sys.Files[path]) != f.Data {
			t.Errorf("%s holds %d bytes, want %d", f.Path, len(sys.Files[path]), len(f.Data))
		}
		mode := " 600 "
		if strings.HasSuffix(f.Path, ".crt") {
			mode = " 644 "
		}
		if !slices.ContainsFunc(sys.Calls, func(c string) bool { return strings.HasPrefix(c, "write "+path+mode) }) || !slices.Contains(sys.Calls, "read "+path) {
			t.Errorf("%s is not written with mode%sand read back", f.Path, mode)
		}
	}
	if i := slices.IndexFunc(rec.Steps, func(r record.Result) bool {
		return r.Kind == plan.PlaceSecrets && r.Checked && r.Digest == set.Sealed()
	}); i < 0 {
		t.Error("the record does not name what was opened")
	}
	planned, err := b.confirmed.Plan().JSON()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := rec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"the plan": string(planned), "the sentences": b.confirmed.Plan().Text(), "the record": string(recorded), "the journal and the events": said.String(),
		"the calls": strings.Join(sys.Calls, "\n")}
	for path, raw := range sys.Files {
		if !strings.Contains(path, "/etc/kubernetes/") {
			places[path] = string(raw)
		}
	}
	for place, text := range places {
		if strings.Contains(text, installtest.SecretMarker) || strings.Contains(text, installtest.Passphrase) {
			t.Errorf("%s has a secret in it", place)
		}
	}
}

// picky is a profile whose node gets certificates alone.
type picky struct{ installtest.Profile }

func (picky) TakesSecret(_ spec.Enclave, _ spec.Answers, path string) (bool, error) {
	return strings.HasSuffix(path, ".crt"), nil
}

// TestSecretsForOthersStayAway: a node gets what the plan names for it, and
// nothing else of what was opened.
func TestSecretsForOthersStayAway(t *testing.T) {
	m := installtest.Machine()
	b, set := sealedFor(t, m, picky{})
	sys := newFake(t)
	d := b.deps(sys, m)
	d.Secrets = set
	if _, err := apply.Run(t.Context(), b.confirmed, d); err != nil {
		t.Fatal(err)
	}
	placed := 0
	for _, f := range set.Files() {
		_, have := sys.Files["/w/root"+f.Path]
		if have != strings.HasSuffix(f.Path, ".crt") {
			t.Errorf("%s is on the node: %v", f.Path, have)
		}
		if have {
			placed++
		}
	}
	if placed == 0 || placed == len(set.Files()) {
		t.Errorf("%d of %d files are placed", placed, len(set.Files()))
	}
}

// TestSecretsFailClosed: nothing is written unless what was opened is what the
// plan names.
func TestSecretsFailClosed(t *testing.T) {
	m := installtest.Machine()
	b, _ := sealedBench(t, m)
	e := spec.Enclave{Metadata: spec.Metadata{Name: "demo"}, Kubernetes: spec.Kubernetes{Profile: "kubeadm"}}
	for name, c := range map[string]struct {
		set  func(*testing.T) *secrets.Set
		code string
	}{
		"nobody opened them": {func(*testing.T) *secrets.Set { return nil }, "SECRETS-NOT-OPENED"},
		"others were opened": {func(t *testing.T) *secrets.Set {
			_, set := sealedBench(t, m)
			files := append([]secrets.File(nil), set.Files()...)
			files[0].Data = "key: another\n"
			sealed, said, err := secrets.Seal(e, files, installtest.Passphrase, 10)
			if err != nil {
				t.Fatal(err)
			}
			if set, err = secrets.Open(sealed, said, installtest.Passphrase); err != nil {
				t.Fatal(err)
			}
			return set
		}, "SECRETS-DIFFER"},
	} {
		t.Run(name, func(t *testing.T) {
			sys := newFake(t)
			d := b.deps(sys, m)
			d.Secrets = c.set(t)
			_, err := apply.Run(t.Context(), b.confirmed, d)
			if all := fault.All(err); len(all) != 1 || all[0].Code != c.code || len(sys.Calls) > 0 {
				t.Errorf("have %v after %v, want %s and no call", err, sys.Calls, c.code)
			}
		})
	}
}

// TestSecretsAreReadBack: a disk that does not keep them is found out.
func TestSecretsAreReadBack(t *testing.T) {
	m := installtest.Machine()
	b, set := sealedBench(t, m)
	sys := newFake(t)
	sys.Corrupt = "/w/root/etc/kubernetes/pki/ca.key"
	d := b.deps(sys, m)
	d.Secrets = set
	_, err := apply.Run(t.Context(), b.confirmed, d)
	if !apply.ReadBack.Is(err) || strings.Contains(err.Error(), installtest.SecretMarker) {
		t.Errorf("have %v, want %s", err, apply.ReadBack.Code)
	}
}
