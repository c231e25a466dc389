package kubeadm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ignition "github.com/coreos/ignition/v2/config/v3_5"
	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vincent-petithory/dataurl"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

func demo(version string) spec.Enclave {
	e := spec.Enclave{
		Metadata:   spec.Metadata{Name: "demo"},
		Kubernetes: spec.Kubernetes{Profile: "kubeadm", Version: version},
		Users: []spec.User{
			{Name: "ops", SSHKeys: []string{"ssh-ed25519 AAAA ops"}, Admin: true},
			{Name: "watch", PasswordHash: "$6$salt$hash"},
		},
	}
	spec.Default(&e)
	return e
}

func input(role string) profiles.RenderInput {
	return profiles.RenderInput{
		Enclave: demo("v1.37.2"),
		Answers: spec.Answers{
			Name: "ship-1", Role: role,
			Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.11/24"},
			Users:   []spec.User{{Name: "watch", PasswordHash: "$6$salt$other", Admin: true}},
		},
		Manifest: bundle.Manifest{Images: []bundle.ImageEntry{{Ref: "docker.io/traefik/whoami:v1"}, {Ref: "registry.k8s.io/pause:3.10.2"}}},
		Registry: images.Service{
			Engine: "distribution", Address: "127.0.0.1:5000", Unit: "caisson-registry.service",
			Files: []images.ServiceFile{{Path: "/etc/systemd/system/caisson-registry.service", Mode: 0o644, Data: []byte("[Service]\n")}},
		},
	}
}

func render(t *testing.T, in profiles.RenderInput) types.Config {
	t.Helper()
	c, err := New().Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// archive shows a config as the tree that it makes.
func archive(t *testing.T, c types.Config) []byte {
	t.Helper()
	var a txtar.Archive
	var head bytes.Buffer
	for _, d := range c.Storage.Directories {
		fmt.Fprintf(&head, "directory %s %04o %d:%d\n", d.Path, *d.Mode, *d.User.ID, *d.Group.ID)
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
	a.Comment = head.Bytes()
	for _, f := range c.Storage.Files {
		a.Files = append(a.Files, txtar.File{
			Name: fmt.Sprintf("%s %04o %d:%d", f.Path, *f.Mode, *f.User.ID, *f.Group.ID),
			Data: content(t, f),
		})
	}
	return txtar.Format(&a)
}

func content(t *testing.T, f types.File) []byte {
	t.Helper()
	u, err := dataurl.DecodeString(*f.Contents.Source)
	if err != nil {
		t.Fatalf("%s: %v", f.Path, err)
	}
	return u.Data
}

func TestRenderGolden(t *testing.T) {
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		t.Run(role, func(t *testing.T) {
			golden.Equal(t, role+".txtar", archive(t, render(t, input(role))))
		})
	}
}

// Ignition's own parser and validator judge what is rendered.
func TestIgnitionAccepts(t *testing.T) {
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		for _, role := range []string{spec.ControlPlane, spec.Worker} {
			for _, network := range []spec.NodeNetwork{
				{Interface: "none", Address: "10.20.0.11/24"},
				{},
				{Interface: "enp1s0", Address: "192.168.7.3/24", Gateway: "192.168.7.1"},
				{Interface: "52:54:00:12:34:56"},
			} {
				in := input(role)
				in.Enclave.Kubernetes.Version = fmt.Sprintf("v1.%d.1", minor)
				in.Answers.Network = network
				raw, err := json.Marshal(render(t, in))
				if err != nil {
					t.Fatal(err)
				}
				_, report, err := ignition.Parse(raw)
				if err != nil || len(report.Entries) > 0 {
					t.Errorf("1.%d %s %+v: %v\n%s", minor, role, network, err, report.String())
				}
			}
		}
	}
}

func TestRenderIsPure(t *testing.T) {
	first := archive(t, render(t, input(spec.ControlPlane)))
	for range 5 {
		if got := archive(t, render(t, input(spec.ControlPlane))); !bytes.Equal(got, first) {
			t.Fatal("the same input gave another config")
		}
	}
}

func fileOf(t *testing.T, c types.Config, path string) string {
	t.Helper()
	for _, f := range c.Storage.Files {
		if f.Path == path {
			return string(content(t, f))
		}
	}
	t.Fatalf("no file %s", path)
	return ""
}

func TestNetwork(t *testing.T) {
	const path = "/etc/systemd/network/10-caisson.network"
	for name, test := range map[string]struct {
		network spec.NodeNetwork
		dns     []string
		has     []string
		lacks   []string
	}{
		"none":    {spec.NodeNetwork{Interface: "none", Address: "10.0.0.5/24"}, nil, []string{"Name=caisson0", "Address=10.0.0.5/24", "Destination=0.0.0.0/0", "Type=unreachable"}, []string{"DHCP", "Gateway"}},
		"static":  {spec.NodeNetwork{Interface: "eno1", Address: "10.0.0.5/24", Gateway: "10.0.0.1"}, []string{"10.0.0.2"}, []string{"Name=eno1", "Gateway=10.0.0.1"}, []string{"DHCP", "unreachable", "Destination"}},
		"no gate": {spec.NodeNetwork{Interface: "eno1", Address: "10.0.0.5/24"}, nil, []string{"unreachable"}, []string{"Gateway", "0.0.0.0/0"}},
		"dhcp":    {spec.NodeNetwork{}, nil, []string{"Type=ether", "Kind=!*", "DHCP=ipv4", "UseDNS=no"}, []string{"Address="}},
		"mac":     {spec.NodeNetwork{Interface: "52-54-00-AB-CD-EF"}, nil, []string{"MACAddress=52:54:00:ab:cd:ef"}, []string{"Name="}},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(spec.ControlPlane)
			in.Answers.Network, in.Enclave.Network.DNS = test.network, test.dns
			got := fileOf(t, render(t, in), path)
			for _, s := range test.has {
				if !strings.Contains(got, s) {
					t.Errorf("no %q in\n%s", s, got)
				}
			}
			for _, s := range test.lacks {
				if strings.Contains(got, s) {
					t.Errorf("%q in\n%s", s, got)
				}
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, change := range map[string]func(*profiles.RenderInput){
		"role":          func(in *profiles.RenderInput) { in.Answers.Role = "etcd" },
		"name":          func(in *profiles.RenderInput) { in.Answers.Name = "Ship 1" },
		"name injects":  func(in *profiles.RenderInput) { in.Answers.Name = "a\nb" },
		"address":       func(in *profiles.RenderInput) { in.Answers.Network.Address = "10.20.0.11" },
		"no address":    func(in *profiles.RenderInput) { in.Answers.Network.Address = "" },
		"gateway":       func(in *profiles.RenderInput) { in.Answers.Network.Gateway = "gw\n[Route]" },
		"interface":     func(in *profiles.RenderInput) { in.Answers.Network.Interface = "eth*" },
		"dns":           func(in *profiles.RenderInput) { in.Enclave.Network.DNS = []string{"ns.example"} },
		"ntp":           func(in *profiles.RenderInput) { in.Enclave.Time.NTP = []string{"a b"} },
		"pod CIDR /25":  func(in *profiles.RenderInput) { in.Enclave.Network.PodCIDR = "10.42.0.0/25" },
		"pod CIDR host": func(in *profiles.RenderInput) { in.Enclave.Network.PodCIDR = "10.42.0.1/16" },
	} {
		t.Run(name, func(t *testing.T) {
			in := input(spec.ControlPlane)
			change(&in)
			if _, err := New().Render(in); !host.RenderIncomplete.Is(err) {
				t.Errorf("got %v, want RENDER-INCOMPLETE", err)
			}
		})
	}
}

// No secret is rendered: all of it is made on the node.
func TestNoSecretRendered(t *testing.T) {
	got := string(archive(t, render(t, input(spec.ControlPlane))))
	for _, s := range []string{"aescbc", "PRIVATE KEY", "token:"} {
		if strings.Contains(got, s) {
			t.Errorf("%q is in the config", s)
		}
	}
}
