package plan_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/spec"
)

// sealedInput is an install from a medium with sealed secrets.
func sealedInput(t *testing.T) plan.Input {
	t.Helper()
	in := input(t)
	dir := t.TempDir()
	if err := installtest.SealedMedium(dir, installtest.OSImage(3<<20)); err != nil {
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
	in.Bundle, in.Enclave, in.Spec = v, loaded.Enclave, []byte(installtest.SealedSpec)
	return in
}

// TestPlanNamesTheSecrets: the step says in words what is placed, the id covers
// it, and a worker gets none.
func TestPlanNamesTheSecrets(t *testing.T) {
	in := sealedInput(t)
	p, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "sealed.txt", []byte(p.Text()))
	said := in.Bundle.Manifest().Secrets
	if s := p.Secrets(); s == nil || s.Digest != said.Digest || !strings.Contains(p.Text(), string(said.CAs[0].Fingerprint)) {
		t.Errorf("the plan names %+v", s)
	}
	for what, change := range map[string]func(*bundle.SealedSecrets){
		"the sealed file":   func(s *bundle.SealedSecrets) { s.Digest = digest.Of(nil) },
		"what is in it":     func(s *bundle.SealedSecrets) { s.Content = digest.Of(nil) },
		"the fingerprint":   func(s *bundle.SealedSecrets) { s.CAs[0].Fingerprint = digest.Of(nil) },
		"a file's own mode": func(s *bundle.SealedSecrets) { s.Files[0].Mode = 0o644 },
	} {
		other := *said
		other.CAs, other.Files = append([]bundle.CA(nil), said.CAs...), append([]bundle.SecretFile(nil), said.Files...)
		change(&other)
		m := in.Bundle.Manifest()
		m.Secrets = &other
		changed := in
		changed.Bundle = carrier{in.Bundle, m}
		if q, err := plan.Make(changed); err != nil || q.ID == p.ID {
			t.Errorf("%s is not in the plan's id: %v", what, err)
		}
	}
	in.Answers.Role = spec.Worker
	if p, err := plan.Make(in); err != nil || p.Secrets() != nil {
		t.Errorf("a worker gets %+v, %v", p.Secrets(), err)
	}
}

// picky is a profile whose node gets certificates alone.
type picky struct{ installtest.Profile }

func (picky) TakesSecret(_ spec.Enclave, _ spec.Answers, path string) (bool, error) {
	return strings.HasSuffix(path, ".crt"), nil
}

// TestPlanChoosesSecrets: the step names what this node gets, in words and in the
// plan's id, and all is still said of what is sealed.
func TestPlanChoosesSecrets(t *testing.T) {
	in := sealedInput(t)
	all, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Profile = picky{}
	p, err := plan.Make(in)
	if err != nil || p.ID == all.ID {
		t.Fatalf("have %v and the id %s, need another than with all", err, p.ID)
	}
	for _, s := range p.Steps {
		if s.Kind != plan.PlaceSecrets {
			continue
		}
		if len(s.Only) == 0 || len(s.Only) >= len(s.Secrets.Files) || !strings.Contains(p.Text(), fmt.Sprintf(": %d files, opened from the sealed file", len(s.Only))) {
			t.Errorf("names %v of %d files", s.Only, len(s.Secrets.Files))
		}
		for _, path := range s.Only {
			if !strings.HasSuffix(path, ".crt") {
				t.Errorf("names %s", path)
			}
		}
	}
}

func TestSecretsAndSpecMustAgree(t *testing.T) {
	in := sealedInput(t)
	without := in.Bundle.Manifest()
	without.Secrets = nil
	low := in.Bundle.Manifest()
	moved := *low.Secrets
	moved.Files = []bundle.SecretFile{{Path: "/usr/lib/ca.key", Mode: 0o600}}
	low.Secrets = &moved
	for _, c := range []struct {
		name, code string
		change     func(*plan.Input)
	}{
		{"the medium brings none", "SECRETS-MISSING", func(in *plan.Input) { in.Bundle = carrier{in.Bundle, without} }},
		{"the Spec names none", "SECRETS-MISSING", func(in *plan.Input) { in.Enclave.Secrets.Sealed = "" }},
		{"a secret in the read-only system", "PAYLOAD-PATH", func(in *plan.Input) { in.Bundle = carrier{in.Bundle, low} }},
	} {
		changed := in
		c.change(&changed)
		if _, err := plan.Make(changed); err == nil || !strings.HasPrefix(err.Error(), c.code+": ") {
			t.Errorf("%s: have %v, want %s", c.name, err, c.code)
		}
	}
}
