package node

import (
	"context"
	"errors"
	"slices"
	"testing"

	"caisson.dev/caisson/installer/installtest"
)

// steps is a profile that notes in which order it is asked, and fails at one step.
type steps struct {
	installtest.Profile
	asked *[]string
	fails string
}

var errStep = errors.New("no")

func (s steps) step(name string) error {
	*s.asked = append(*s.asked, name)
	if s.fails == name {
		return errStep
	}
	return nil
}

func (s steps) CarryNetwork(string) error                 { return s.step("network") }
func (s steps) Ready(context.Context, func(string)) error { return s.step("node") }
func (s steps) ApplyManifests(context.Context, string, func(string)) error {
	return s.step("manifests")
}
func (s steps) WaitWorkloads(context.Context, string, func(string)) error {
	return s.step("workloads")
}

// TestReadyOrder: what a step needs has come before it, and nothing comes after one
// that failed.
func TestReadyOrder(t *testing.T) {
	order := []string{"network", "node", "ready", "manifests", "workloads"}
	for _, fails := range []string{"", "network", "node", "manifests", "workloads"} {
		var asked []string
		p := steps{asked: &asked, fails: fails}
		err := bring(t.Context(), p, "m", nil, func() { asked = append(asked, "ready") })
		want := order
		if i := slices.Index(order, fails); i >= 0 {
			want = order[:i+1]
		}
		if !slices.Equal(asked, want) || errors.Is(err, errStep) != (fails != "") {
			t.Errorf("failing at %q: have %q, %v, need %q", fails, asked, err, want)
		}
	}
	if err := bring(t.Context(), installtest.Profile{}, "m", nil, func() {}); err != nil {
		t.Error(err)
	}
}
