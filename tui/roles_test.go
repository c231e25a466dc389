package tui

import (
	"os"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/spec"
)

// media are Specs of whole enclaves, each with what is changed in an example.
var media = []struct {
	name, example string
	change        []string // old and new, in turn
	offers        string   // to a new node
	refuses       string   // what is shown and cannot be taken
	lacks         string
}{
	{"rke2-cis-joins", "rke2-enclave", []string{"network:\n  dns", sealed + "network:\n  dns"},
		"join a control-plane, worker", "", "Control-plane, Rugged edge"},
	{"rke2-cis-no-tokens", "rke2-enclave", nil,
		"", "join a control-plane, worker", "Control-plane, Rugged edge"},
	{"rke2-cis-no-roster", "rke2-enclave", []string{rosterOf("rke2-enclave"), ""},
		"control-plane", "worker", "Join a control-plane, Rugged edge"},
	{"k3s-edge", "k3s-edge", []string{rosterOf("k3s-edge"), ""},
		"rugged edge", "worker", "Join a control-plane"},
	{"k3s-edge-roster", "k3s-edge", []string{"nodes:", sealed + "nodes:"},
		"worker", "rugged edge", "Join a control-plane"},
	{"kubeadm", "demo", nil,
		"control-plane, worker", "", "Join a control-plane, Rugged edge"},
}

const sealed = "secrets:\n  sealed: cluster.age\n"

func exampleText(name string) string {
	raw, err := os.ReadFile("../examples/" + name + "/caisson.yaml")
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// rosterOf is the part of an example that is its roster.
func rosterOf(name string) string {
	_, text, _ := strings.Cut(exampleText(name), "\nnodes:")
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines[1:] {
		if !strings.HasPrefix(l, " ") {
			lines = lines[:i+1]
			break
		}
	}
	return "nodes:" + strings.Join(lines, "")
}

// factsOf is the medium of an example, as its own profile speaks of it.
func factsOf(t testing.TB, example string, change ...string) Facts {
	t.Helper()
	text := exampleText(example)
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("examples/%s has no %q", example, change[i])
		}
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	loaded, err := spec.Parse([]byte(text), "../examples/"+example)
	if err != nil {
		t.Fatal(err)
	}
	p, err := catalog.Get(loaded.Enclave.Kubernetes.Profile)
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{Enclave: loaded.Enclave, Needs: map[string]profiles.Needs{}, Places: map[string]Place{}}
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		f.Needs[role] = p.Needs(role)
		if j, ok := p.(profiles.Joiner); ok {
			joins, err := j.Joins(f.Enclave, role)
			f.Places[role] = Place{Joins: joins, Err: err}
		}
	}
	return f
}

// mediumOf is a stage with the roles and the roster of a medium.
func mediumOf(t testing.TB, i int) *stage {
	t.Helper()
	f, text := factsOf(t, media[i].example, media[i].change...), installtest.Spec
	if f.Enclave.Secrets.Sealed != "" {
		text = installtest.SealedSpec
	}
	s := enact(t, rugged(t), text)
	s.facts.Enclave, s.facts.Needs, s.facts.Places = f.Enclave, f.Needs, f.Places
	return s
}

// TestRolesOfProfiles: each profile's media offer what can be set up from them, and
// say of the rest why not.
func TestRolesOfProfiles(t *testing.T) {
	for i, m := range media {
		s := mediumOf(t, i)
		s.do(t, toRole...)
		p := s.w.page()
		var offers, refuses, lacks []string
		for _, o := range p.fields[0].options {
			switch {
			case strings.HasPrefix(o.value, rosterWord):
			case o.refused != "":
				refuses = append(refuses, o.label)
			default:
				offers = append(offers, o.label)
			}
		}
		for _, l := range p.foot {
			name, _, _ := strings.Cut(flat(l.spans), ": not on this medium: ")
			lacks = append(lacks, name)
		}
		for what, x := range map[string][2]string{"offers": {strings.Join(offers, ", "), m.offers},
			"refuses": {strings.Join(refuses, ", "), m.refuses}, "lacks": {strings.Join(lacks, ", "), m.lacks}} {
			if x[0] != x[1] {
				t.Errorf("%s %s %q, want %q", m.name, what, x[0], x[1])
			}
		}
		holdTexts(t, "screens", "04-role-"+m.name, s.w.View, canvases...)
		holdColours(t, "screens", "04-role-"+m.name, "orange", s.w.View)
	}
}

// TestAnswersOfNoRole: answers whose role the medium cannot set up are stopped at
// the question, with the profile's reason; a node of the roster is not.
func TestAnswersOfNoRole(t *testing.T) {
	const noTokens = 1
	worker := strings.Replace(whole, "role: control-plane", "role: worker", 1)
	s := mediumOf(t, noTokens)
	s.do(t, "given "+worker, "keys enter")
	if wrong := s.w.errors()[FieldRole]; s.w.step != rolePage || len(wrong) != 1 || fault.All(wrong[0])[0].Code != "JOIN-SECRETS" {
		t.Errorf("at step %d with %v, want the role with JOIN-SECRETS", s.w.step, wrong)
	}
	s = mediumOf(t, noTokens)
	s.do(t, "given "+strings.Replace(whole, "edge7", "cp1", 1), "keys enter")
	if wrong := s.w.errors()[FieldRole]; len(wrong) != 0 {
		t.Errorf("the roster's own node is refused: %v", wrong)
	}
}
