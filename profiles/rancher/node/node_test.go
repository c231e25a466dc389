package node_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

var v136 = release.Version{Product: release.RKE2, Minor: 36, Patch: 3, Revision: 1}

func entry(name, role, address string) spec.Node {
	return spec.Node{Name: name, Role: role, Network: spec.NodeNetwork{Interface: "eno1", Address: address}}
}

func input(sealed bool, name, role, address string, roster ...spec.Node) profiles.RenderInput {
	e := spec.Enclave{Metadata: spec.Metadata{Name: "site"}, Kubernetes: spec.Kubernetes{Profile: spec.ProfileRKE2, Version: v136.String()}, Nodes: roster}
	if sealed {
		e.Secrets.Sealed = "s.age"
	}
	spec.Default(&e)
	return profiles.RenderInput{Enclave: e, Answers: spec.Answers{Name: name, Role: role, Network: spec.NodeNetwork{Address: address}}}
}

func TestPlace(t *testing.T) {
	cp1, cp2 := entry("cp-1", spec.ControlPlane, "10.0.0.1/24"), entry("cp-2", spec.ControlPlane, "10.0.0.2/24")
	w1 := entry("w-1", spec.Worker, "10.0.0.9/24")
	for _, c := range []struct {
		what string
		in   profiles.RenderInput
		role config.Role
		join string
		code fault.Kind
	}{
		{what: "no roster", in: input(false, "a", spec.ControlPlane, "10.0.0.1/24"), role: config.First},
		{what: "alone in the roster", in: input(false, "cp-1", spec.ControlPlane, "10.0.0.1/24", cp1), role: config.First},
		{what: "alone, at another address", in: input(false, "cp-1", spec.ControlPlane, "10.0.0.7/24", cp1), role: config.First},
		{what: "first, though listed behind a worker", in: input(true, "cp-1", spec.ControlPlane, "10.0.0.1/24", w1, cp1, cp2), role: config.First},
		{what: "second", in: input(true, "cp-2", spec.ControlPlane, "10.0.0.2/24", cp1, cp2), role: config.Further, join: "https://10.0.0.1:9345"},
		{what: "worker", in: input(true, "w-1", spec.Worker, "10.0.0.9/24", w1, cp1), role: config.Agent, join: "https://10.0.0.1:9345"},
		{what: "worker that is not in the roster", in: input(true, "w-7", spec.Worker, "10.0.0.8/24", cp1), role: config.Agent, join: "https://10.0.0.1:9345"},
		// JOIN-SECRETS
		{what: "second without secrets", in: input(false, "cp-2", spec.ControlPlane, "10.0.0.2/24", cp1, cp2), code: node.NoToken},
		{what: "worker without secrets", in: input(false, "w-1", spec.Worker, "10.0.0.9/24", w1, cp1), code: node.NoToken},
		// JOIN-SERVER
		{what: "worker without a server", in: input(true, "w-1", spec.Worker, "10.0.0.9/24", w1), code: node.NoServer},
		{what: "worker of a server without address", in: input(true, "w-1", spec.Worker, "10.0.0.9/24", entry("cp-1", spec.ControlPlane, ""), w1), code: node.NoServer},
		{what: "first at another address than the others know", in: input(true, "cp-1", spec.ControlPlane, "10.0.0.7/24", cp1, cp2), code: node.NoServer},
		{what: "no address", in: input(true, "cp-1", spec.ControlPlane, "", cp1), code: host.RenderIncomplete},
	} {
		t.Run(c.what, func(t *testing.T) {
			n, err := node.Of(c.in, v136)
			if c.code.Code != "" {
				if !c.code.Is(err) {
					t.Errorf("have %v, need %s", err, c.code.Code)
				}
				return
			}
			if err != nil || n.Role != c.role || n.JoinURL() != c.join {
				t.Errorf("have %q joining %q, %v; need %q joining %q", n.Role, n.JoinURL(), err, c.role, c.join)
			}
		})
	}
}

// TestMakeSecrets: the CAs are valid from yesterday for ten years, and both tokens
// in full hold the fingerprint of the server CA's file.
func TestMakeSecrets(t *testing.T) {
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	for _, p := range []release.Product{release.RKE2, release.K3s} {
		made, err := node.MakeSecrets(p, now)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range made {
			if f.Mode != 0o600 || files[f.Path] != "" {
				t.Errorf("%s: mode %o, or twice", f.Path, f.Mode)
			}
			files[f.Path] = f.Data
		}
		tls, etc := "/var/lib/rancher/"+string(p)+"/server/tls/", "/etc/rancher/"+string(p)+"/"
		for _, ca := range []string{"server-ca", "client-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"} {
			block, rest := pem.Decode([]byte(files[tls+ca+".crt"]))
			if block == nil || len(rest) != 0 {
				t.Fatalf("%s: need one certificate", ca)
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil || !c.IsCA || c.NotBefore != time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) || c.NotAfter.Sub(c.NotBefore) != 3650*24*time.Hour {
				t.Errorf("%s: %v, from %v to %v", ca, err, c.NotBefore, c.NotAfter)
			}
			if key, _ := pem.Decode([]byte(files[tls+ca+".key"])); key == nil || key.Type != "EC PRIVATE KEY" {
				t.Errorf("%s has no key", ca)
			}
		}
		if key, _ := pem.Decode([]byte(files[tls+"service.key"])); key == nil || key.Type != "RSA PRIVATE KEY" {
			t.Error("no key for service accounts in the traditional form")
		}
		sum := sha256.Sum256([]byte(files[tls+"server-ca.crt"]))
		head := "K10" + hex.EncodeToString(sum[:]) + "::"
		agent := strings.TrimSpace(files[etc+"agent-token"])
		if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(agent) || files[etc+"join-token"] != head+"node:"+agent+"\n" {
			t.Errorf("%s: the agents' token does not fit", p)
		}
		if !strings.HasPrefix(files[etc+"token"], head+"server:") || strings.Contains(files[etc+"token"], agent) {
			t.Errorf("%s: the servers' token does not fit", p)
		}
		if len(made) != 14 {
			t.Errorf("%s: have %d files, need 14", p, len(made))
		}
	}
}

// TestTakes: no node gets more of the secrets than it needs.
func TestTakes(t *testing.T) {
	made, err := node.MakeSecrets(release.RKE2, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cp1, cp2, w1 := entry("cp-1", spec.ControlPlane, "10.0.0.1/24"), entry("cp-2", spec.ControlPlane, "10.0.0.2/24"), entry("w-1", spec.Worker, "10.0.0.9/24")
	for _, c := range []struct {
		n      spec.Node
		tls    int
		tokens string
	}{{cp1, 11, "token agent-token"}, {cp2, 0, "token agent-token"}, {w1, 0, "join-token"}} {
		n, err := node.Of(input(true, c.n.Name, c.n.Role, c.n.Network.Address, cp1, cp2, w1), v136)
		if err != nil {
			t.Fatal(err)
		}
		tls, tokens := 0, []string{}
		for _, f := range made {
			switch {
			case !n.Takes(f.Path):
			case strings.HasPrefix(f.Path, "/etc/"):
				tokens = append(tokens, path.Base(f.Path))
			default:
				tls++
			}
		}
		if tls != c.tls || strings.Join(tokens, " ") != c.tokens || n.Takes("/etc/passwd") {
			t.Errorf("%s gets %d files of the CAs and %v, need %d and %s", c.n.Name, tls, tokens, c.tls, c.tokens)
		}
	}
}
