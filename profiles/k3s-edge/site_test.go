package k3sedge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vincent-petithory/dataurl"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/spec"
)

// A release of the oldest and of the newest line.
const oldest, newest = "v1.31.14+k3s1", "v1.36.2+k3s1"

// every is a release of each line, and of the oldest one from before each of its
// changes (package release).
var every = []string{
	"v1.31.8+k3s1", "v1.31.9+k3s1", oldest, "v1.32.13+k3s1", "v1.33.13+k3s1", "v1.34.9+k3s1", "v1.35.7+k3s1", newest,
}

// The nodes of the tests' roster: server and worker, and its agent.
const box, agent = "edge-1", "edge-2"

var begin = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// site is an enclave of a box and an agent, with secrets made beforehand.
func site(version, datastore string) spec.Enclave {
	e := spec.Enclave{
		Metadata:   spec.Metadata{Name: "site"},
		Kubernetes: spec.Kubernetes{Profile: spec.ProfileK3s, Version: version, Datastore: datastore},
		Registry:   spec.Registry{Engine: spec.EngineZot, Binary: &spec.FileSource{Path: "zot"}},
		Users:      []spec.User{{Name: "ops", SSHKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzj2RZ8fZIo2m3jiQO5qxYt8A78LrTWm4sFfoU58Xc2 ops"}, Admin: true}},
		Secrets:    spec.Secrets{Sealed: "secrets.age"},
		Nodes: []spec.Node{
			{Name: box, Role: spec.ControlPlane, Network: spec.NodeNetwork{Interface: "enp1s0", Address: "10.30.0.11/24"}},
			{Name: agent, Role: spec.Worker, Network: spec.NodeNetwork{Interface: "enp1s0", Address: "10.30.0.12/24", Gateway: "10.30.0.1"}},
		},
	}
	spec.Default(&e)
	return e
}

// alone is an enclave of one box that no roster names, and its answers.
func alone() (spec.Enclave, spec.Answers) {
	e := site(newest, "")
	e.Nodes, e.Secrets = nil, spec.Secrets{}
	return e, spec.Answers{Name: box, Role: spec.ControlPlane, Network: spec.NodeNetwork{Interface: "none", Address: "10.30.0.11/24"}}
}

func inputOf(t testing.TB, e spec.Enclave, a spec.Answers) profiles.RenderInput {
	t.Helper()
	a, err := spec.Complete(e, a)
	if err != nil {
		t.Fatal(err)
	}
	return profiles.RenderInput{
		Enclave: e, Answers: a,
		Manifest: bundle.Manifest{Images: []bundle.ImageEntry{{Ref: "docker.io/traefik/whoami:v1"}}},
		Registry: images.Service{
			Engine: "zot", Address: images.Address, Unit: images.Unit,
			Files: []images.ServiceFile{{Path: "/etc/systemd/system/caisson-registry.service", Mode: 0o644, Data: []byte("[Service]\n")}},
		},
	}
}

func input(t testing.TB, e spec.Enclave, name string) profiles.RenderInput {
	t.Helper()
	return inputOf(t, e, spec.Answers{Node: name})
}

func render(t testing.TB, in profiles.RenderInput) types.Config {
	t.Helper()
	c, err := New().Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rendered is a node: the head, and contents by "path mode owner".
type rendered struct {
	head  string
	files map[string]string
}

func treeOf(t testing.TB, c types.Config) rendered {
	t.Helper()
	var head bytes.Buffer
	for _, d := range c.Storage.Directories {
		fmt.Fprintf(&head, "directory %s %04o %d:%d\n", d.Path, *d.Mode, *d.User.ID, *d.Group.ID)
	}
	for _, l := range c.Storage.Links {
		fmt.Fprintf(&head, "link %s %s %d:%d\n", l.Path, *l.Target, *l.User.ID, *l.Group.ID)
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

// file is the content of a file, which must be there.
func (r rendered) file(t testing.TB, path string) string {
	t.Helper()
	for name, data := range r.files {
		if p, _, _ := strings.Cut(name, " "); p == path {
			return data
		}
	}
	t.Fatalf("no file %s", path)
	return ""
}

func (r rendered) archive() []byte {
	a := txtar.Archive{Comment: []byte(r.head)}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(r.files[name])})
	}
	return txtar.Format(&a)
}

// all is the files and the head.
func (r rendered) all() map[string]string {
	all := maps.Clone(r.files)
	all["head"] = r.head
	return all
}

// conf is a node's config.yaml as K3s reads it.
func conf(t testing.TB, r rendered) config.Values {
	t.Helper()
	c, err := config.Parse([]byte(r.file(t, config.K3s.Path())))
	if err != nil {
		t.Fatal(err)
	}
	return c.Values
}
