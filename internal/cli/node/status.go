package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/profiles"
)

type statusCmd struct {
	JSON bool `help:"Machine-readable: one JSON value; an error as JSON lines that end with done."`
}

// state is a node as it is now.
type state struct {
	Node           string           `json:"node"`
	Enclave        string           `json:"enclave"`
	Classification string           `json:"classification,omitempty"`
	Role           string           `json:"role"`
	Release        string           `json:"release"`
	OS             string           `json:"os"`
	Slot           string           `json:"slot"`
	Kubernetes     string           `json:"kubernetes"`
	Profile        string           `json:"profile"`
	Addresses      []string         `json:"addresses,omitempty"`
	Registry       string           `json:"registry"` // "answers at ADDRESS", or why not
	serves         bool             // the registry answers
	Cluster        string           `json:"cluster,omitempty"` // what it says of this node
	member         bool             // it calls the node Ready
	Unit           string           `json:"unit"`    // that runs Kubernetes
	Kubelet        string           `json:"kubelet"` // systemd's word for that unit
	Images         int              `json:"images"`
	Record         string           `json:"record"` // digest of the record, or why there is none
	Uptime         string           `json:"uptime"` // seconds
	Benchmark      string           `json:"benchmark"`
	CIS            []record.Finding `json:"cis"`
}

// Run prints the node's state. It fails only if the node is no Caisson node: a
// part that is down is part of the answer.
func (c statusCmd) Run(r *run) error {
	n, err := load(r.root)
	if err != nil && c.JSON {
		return r.failed("node", err)
	}
	if err != nil {
		return err
	}
	s := look(r, n)
	if c.JSON {
		b, err := canon.JSON(s)
		if err == nil {
			_, err = r.out.Write(b)
		}
		return err
	}
	fmt.Fprintf(r.out, "Node %s of enclave %s\n", s.Node, s.Enclave)
	writeState(r.out, s)
	writeTable(r.out, s.CIS)
	return nil
}

// look asks every part of the node once, briefly, and goes through the CIS table.
func look(r *run, n installed) state {
	s := glance(r, n, 5*time.Second)
	s.CIS = assess(r.ctx, r.root, n, n.benchmark())
	return s
}

// glance is look without the CIS table; the registry may take patience to answer.
func glance(r *run, n installed, patience time.Duration) state {
	s := state{
		Node: n.answers.Name, Enclave: n.enclave.Metadata.Name, Classification: n.enclave.Classification.Label,
		Role: n.answers.Role, Release: n.manifest.Release, OS: n.manifest.OS.Version, Slot: slot(r.env.Cmdline()),
		Kubernetes: n.enclave.Kubernetes.Version, Profile: n.profile.Name(), Unit: profiles.Unit(n.profile, n.answers.Role), Benchmark: n.named(n.benchmark()), Images: len(n.manifest.Images),
		Uptime: uptime(r.root), Record: recordDigest(r.root),
	}
	if list, err := ownAddresses(); err == nil {
		for _, a := range list {
			s.Addresses = append(s.Addresses, a.String())
		}
	}
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	asked := make(chan struct{})
	go func() { // while the registry is asked
		defer close(asked)
		if m, ok := n.profile.(profiles.Member); ok {
			s.Cluster, s.member = m.Membership(ctx)
		}
	}()
	if err := answers(ctx, registryURL(n.service.Address)); err != nil {
		s.Registry = "does not answer at " + n.service.Address
	} else {
		s.Registry, s.serves = n.service.Engine+", answers at "+n.service.Address, true
	}
	s.Kubelet = unitState(r.ctx, s.Unit)
	<-asked
	return s
}

// unitState is systemd's word for a unit: active, inactive, failed, ...
func unitState(ctx context.Context, unit string) string {
	out, err := exec.CommandContext(ctx, "systemctl", "is-active", unit).Output()
	if word := strings.TrimSpace(string(out)); word != "" {
		return word // is-active fails for every state but active, and says which
	}
	return fmt.Sprintf("not known: %v", err)
}

func recordDigest(root string) string {
	_, d, err := readRecord(root)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "none: " + err.Error()
	case err != nil:
		return err.Error()
	}
	return string(d) + " (not signed)"
}

// readRecord reads the node's Record and its digest.
func readRecord(root string) (record.Record, digest.Digest, error) {
	b, err := os.ReadFile(filepath.Join(root, record.Path))
	if err != nil {
		return record.Record{}, "", err
	}
	rec, err := record.Parse(b)
	return rec, digest.Of(b), err
}

// data is the state as the "ready" event carries it.
func (s state) data() map[string]string {
	out := map[string]string{
		"enclave": s.Enclave, "release": s.Release, "os": s.OS, "slot": s.Slot, "kubernetes": s.Kubernetes,
		"registry": s.Registry, "unit": s.Unit, "kubelet": s.Kubelet, "images": strconv.Itoa(s.Images), "record": s.Record,
		"cis": tally(s.CIS), "benchmark": s.Benchmark,
	}
	if failed := failures(s.CIS); len(failed) > 0 {
		out["cis.fail"] = strings.Join(failed, " ")
	}
	return out
}
