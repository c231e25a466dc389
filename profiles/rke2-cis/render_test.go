package rke2cis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	ignition "github.com/coreos/ignition/v2/config/v3_5"
	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/vincent-petithory/dataurl"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// The nodes of the test's roster: two control-planes and a worker.
const (
	first   = "cp-1"
	further = "cp-2"
	worker  = "w-1"
)

var roles = []string{first, further, worker}

// The newest release of the oldest, of the stable and of the newest line.
var versions = []string{"v1.31.14+rke2r1", "v1.35.7+rke2r1", newest}

const newest = "v1.36.3+rke2r1"

// site is an enclave of three nodes with secrets made beforehand.
func site(version string, cni ...string) spec.Enclave {
	e := spec.Enclave{
		Metadata:   spec.Metadata{Name: "site"},
		Kubernetes: spec.Kubernetes{Profile: spec.ProfileRKE2, Version: version, CNI: cni},
		Users:      []spec.User{{Name: "ops", SSHKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzj2RZ8fZIo2m3jiQO5qxYt8A78LrTWm4sFfoU58Xc2 ops"}, Admin: true}},
		Registry:   spec.Registry{Engine: spec.EngineZot, Binary: &spec.FileSource{Path: "zot"}},
		Network:    spec.Network{DNS: []string{"10.20.0.2"}},
		Time:       spec.Time{NTP: []string{"10.20.0.3"}},
		Secrets:    spec.Secrets{Sealed: "secrets.age"},
	}
	for i, name := range roles {
		role := spec.ControlPlane
		if name == worker {
			role = spec.Worker
		}
		e.Nodes = append(e.Nodes, spec.Node{Name: name, Role: role, Network: spec.NodeNetwork{
			Interface: "enp1s0", Address: fmt.Sprintf("10.20.0.1%d/24", i+1), Gateway: "10.20.0.1"}})
	}
	spec.Default(&e)
	return e
}

// input is one node of an enclave.
func input(t testing.TB, e spec.Enclave, name string) profiles.RenderInput {
	t.Helper()
	a, err := spec.Complete(e, spec.Answers{Node: name})
	if err != nil {
		t.Fatal(err)
	}
	return profiles.RenderInput{
		Enclave: e, Answers: a,
		Manifest: bundle.Manifest{Images: []bundle.ImageEntry{{Ref: "docker.io/traefik/whoami:v1"}}},
		Registry: images.Service{
			Engine: "zot", Address: "127.0.0.1:5000", Unit: "caisson-registry.service",
			Files: []images.ServiceFile{{Path: "/etc/systemd/system/caisson-registry.service", Mode: 0o644, Data: []byte("[Service]\n")}},
		},
	}
}

func render(t testing.TB, in profiles.RenderInput) types.Config {
	t.Helper()
	c, err := New().Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rendered is a node: what stands in the head, and files by path, each with
// mode and owner.
type rendered struct {
	head  string
	files map[string]string // "path mode owner" -> content
}

func treeOf(t testing.TB, c types.Config) rendered {
	t.Helper()
	var head bytes.Buffer
	for _, d := range c.Storage.Directories {
		fmt.Fprintf(&head, "directory %s %04o %d:%d\n", d.Path, *d.Mode, *d.User.ID, *d.Group.ID)
	}
	for _, g := range c.Passwd.Groups {
		fmt.Fprintf(&head, "group %s %d\n", g.Name, *g.Gid)
	}
	for _, u := range c.Passwd.Users {
		raw, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&head, "user %s\n", raw)
	}
	for _, u := range c.Systemd.Units {
		fmt.Fprintf(&head, "unit %s enabled=%v\n", u.Name, *u.Enabled)
	}
	out := rendered{head.String(), map[string]string{}}
	for _, f := range c.Storage.Files {
		u, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		out.files[fmt.Sprintf("%s %04o %d:%d", f.Path, *f.Mode, *f.User.ID, *f.Group.ID)] = string(u.Data)
	}
	return out
}

// file is the content of a node's file.
func (n rendered) file(path string) string {
	for name, data := range n.files {
		if p, _, _ := strings.Cut(name, " "); p == path {
			return data
		}
	}
	return ""
}

// all is the files and the head.
func (n rendered) all() map[string]string {
	all := maps.Clone(n.files)
	all["head"] = n.head
	return all
}

// Ignition's own parser and validator judge what is rendered.
func TestIgnitionAccepts(t *testing.T) {
	for _, v := range every {
		for _, name := range roles {
			raw, err := json.Marshal(render(t, input(t, site(v), name)))
			if err != nil {
				t.Fatal(err)
			}
			_, report, err := ignition.Parse(raw)
			if err != nil || len(report.Entries) > 0 {
				t.Errorf("%s %s: %v\n%s", v, name, err, report.String())
			}
		}
	}
}
