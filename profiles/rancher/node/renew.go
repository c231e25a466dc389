package node

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/spec"
)

// Night is the day of the month on which the node starts its unit anew, for new
// certificates: by its place in the roster, and no later than any month is long.
func (n Node) Night() int {
	a := n.in.Answers
	i := slices.IndexFunc(n.in.Enclave.Nodes, func(e spec.Node) bool { return e.Name == cmp.Or(a.Node, a.Name) })
	return 1 + max(i, 0)%28
}

// leaves are certificates that a start needs and `certificate rotate` removes, in
// every release (k3s pkg/util/services). A CA is never among them.
var leaves = []string{
	"server/tls/client-admin.crt", "server/tls/client-kube-apiserver.crt", "server/tls/serving-kube-apiserver.crt",
	"server/tls/client-controller.crt", "server/tls/client-scheduler.crt", "server/tls/client-auth-proxy.crt",
	"server/tls/etcd/client.crt", "server/tls/etcd/server-client.crt", "server/tls/etcd/peer-server-client.crt",
	"agent/client-kubelet.crt", "agent/serving-kubelet.crt", "agent/client-kube-proxy.crt",
}

// A server shows this certificate to those that join, itself among them; the mark
// beside it says that a start makes it anew (k3s pkg/cli/cert).
const (
	shown     = "server/tls/dynamic-cert.json"
	shownAnew = "server/tls/dynamic-cert-regenerate"
)

// aDay is what a start may take, and more.
const aDay = 24 * time.Hour

// ranOut names the node's certificates that have a day or less left. A start
// renews those with more (caisson-renew.timer). With one that ran out while the
// node was switched off, releases before v1.31.10, v1.32.6 and v1.33.2 do not
// start (rancher/rke2 issue 8318).
func (n Node) ranOut(root string, now time.Time) []string {
	var out []string
	old := func(file string, chain []byte) {
		block, _ := pem.Decode(chain) // the certificate itself stands first
		if block == nil {
			return
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && now.After(c.NotAfter.Add(-aDay)) {
			out = append(out, file)
		}
	}
	at := func(file string) string { return filepath.Join(root, n.Data(), file) }
	for _, file := range leaves {
		raw, _ := os.ReadFile(at(file)) // what is not there is made
		old(file, raw)
	}
	var secret struct {
		Data map[string][]byte `json:"data"`
	}
	raw, _ := os.ReadFile(at(shown))
	if _, err := os.Stat(at(shownAnew)); err != nil && json.Unmarshal(raw, &secret) == nil {
		old(shown, secret.Data["tls.crt"])
	}
	return out
}

// rotating is how long the vendor's program may take to move some files.
const rotating = 5 * time.Minute

// renew does what the vendor says to do by hand with certificates that ran out
// (rke2-docs docs/security/certificates.md): the unit is stopped, its program
// sets them aside, and the start makes new ones. On an agent they come from the
// server, and the token is what it asks with.
func (n Node) renew(in profiles.PrepareInput) error {
	old := n.ranOut(in.Root, in.Now)
	if len(old) == 0 {
		return nil
	}
	program := "/usr/local/bin/" + string(n.Version.Product)
	ctx, cancel := context.WithTimeout(context.Background(), rotating)
	defer cancel()
	said, err := exec.CommandContext(ctx, filepath.Join(in.Root, program), "certificate", "rotate").CombinedOutput()
	if left := n.ranOut(in.Root, in.Now); err == nil && len(left) == 0 {
		return nil
	}
	have := "certificates that ran out (" + strings.Join(old, ", ") + ")"
	if err != nil {
		return NotPrepared.New("cannot start Kubernetes on this node: have %s, need `%s certificate rotate` to set them aside: %w: %s", have, program, err, cluster.FirstLine(string(said)))
	}
	return NotPrepared.New("cannot start Kubernetes on this node: have %s after `%s certificate rotate`, need them set aside", have, program)
}
