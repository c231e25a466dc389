package rke2cis

import (
	"archive/tar"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/node"
)

// The longer ones of TestFailureModes.

// leaf is a certificate that ends at a time.
func leaf(t *testing.T, end time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// rotator is the vendor's program as far as it is asked to rotate: it writes down
// that it was called, and does this in RKE2's folder.
func rotator(t *testing.T, in profiles.PrepareInput, does string) {
	t.Helper()
	write(t, in.Root, "usr/local/bin/rke2", "#!/bin/sh\n[ \"$*\" = 'certificate rotate' ] || exit 1\necho >>'"+in.Root+"/called'\ncd '"+in.Root+"/var/lib/rancher/rke2'\n"+does+"\n")
	if err := os.Chmod(filepath.Join(in.Root, "usr/local/bin/rke2"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// calls is how often it was.
func calls(in profiles.PrepareInput) int {
	raw, _ := os.ReadFile(filepath.Join(in.Root, "called"))
	return len(raw)
}

func certificatesExpire(t *testing.T) {
	// While it runs, each node starts RKE2 anew every quarter, in a night of its own.
	nights := map[string]string{first: "01", further: "02", worker: "03"}
	all(t, func(t *testing.T, v, name string, n rendered) {
		unit := "rke2-server"
		if name == worker {
			unit = "rke2-agent"
		}
		if !strings.Contains(n.file("/etc/systemd/system/caisson-renew.timer"), "OnCalendar=*-01,04,07,10-"+nights[name]+" 03:30\n") ||
			!strings.Contains(n.head, "unit caisson-renew.timer enabled=true") ||
			!strings.Contains(n.file("/etc/systemd/system/caisson-renew.service"), "try-restart "+unit+".service\n") {
			t.Errorf("%s %s is not started anew", v, name)
		}
	})
	// What ran out while it was off is set aside before a start, and nothing else.
	const tls = "server/tls/serving-kube-apiserver.crt"
	for _, version := range []string{"v1.31.8+rke2r1", newest} {
		for name, file := range map[string]string{first: tls, further: "server/tls/etcd/peer-server-client.crt", worker: "agent/client-kubelet.crt"} {
			in := prepared(t, version, name)
			rotator(t, in, "rm "+file)
			put := func(left time.Duration) {
				write(t, in.Root, "var/lib/rancher/rke2/"+file, leaf(t, in.Now.Add(left)))
			}
			write(t, in.Root, "var/lib/rancher/rke2/agent/client-ca.crt", leaf(t, in.Now.AddDate(0, 0, -1)))
			put(25 * time.Hour)
			if err := New().Prepare(in); err != nil || calls(in) != 0 {
				t.Errorf("%s %s: a certificate that is good: %v, rotated %d times", version, name, err, calls(in))
			}
			put(-time.Hour)
			unfit := in
			unfit.Epoch = in.Now.Unix() + 1 // so that the clock is not believed
			if err := New().Prepare(unfit); !node.NotPrepared.Is(err) || calls(in) != 0 {
				t.Errorf("%s %s: by a wrong clock: %v, rotated %d times", version, name, err, calls(in))
			}
			for range 2 { // the second start finds nothing to do
				if err := New().Prepare(in); err != nil || calls(in) != 1 {
					t.Errorf("%s %s: %v, rotated %d times, need once", version, name, err, calls(in))
				}
			}
		}
	}
	// So is the one that a server shows to those that join: its file stays, with a
	// mark beside it.
	in := prepared(t, newest, first)
	rotator(t, in, "touch server/tls/dynamic-cert-regenerate")
	secret, err := json.Marshal(map[string]any{"data": map[string][]byte{"tls.crt": []byte(leaf(t, in.Now))}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, in.Root, "var/lib/rancher/rke2/server/tls/dynamic-cert.json", string(secret))
	for range 2 {
		if err := New().Prepare(in); err != nil || calls(in) != 1 {
			t.Errorf("the shown certificate: %v, rotated %d times, need once", err, calls(in))
		}
	}
	// A program that fails, or that leaves them, is a reason not to start.
	old := func(in *profiles.PrepareInput) {
		write(t, in.Root, "var/lib/rancher/rke2/"+tls, leaf(t, in.Now.Add(-time.Hour)))
	}
	refuses(t, newest, first, "ran out ("+tls+"), need `/usr/local/bin/rke2 certificate rotate`", old)
	refuses(t, newest, first, "after `/usr/local/bin/rke2 certificate rotate`", func(in *profiles.PrepareInput) {
		old(in)
		rotator(t, *in, "")
	})
}

// imagesOfAnOption: what the vendor's list for the chosen network names must be in
// its archive, before a medium is made.
func imagesOfAnOption(t *testing.T) {
	archives := map[string][]string{"core": {"rke2-runtime:v1.36.3-rke2r1", "hardened-etcd:v1"}, "cilium": {"mirrored-cilium-cilium:v1"}}
	for want, listed := range map[string][]string{"": archives["cilium"], "docker.io/rancher/hardened-cni-plugins:v1": {"mirrored-cilium-cilium:v1", "hardened-cni-plugins:v1"}} {
		dir := t.TempDir()
		err := New().CheckArchives(site(newest, "cilium"), func(artifact string) (string, error) {
			at := filepath.Join(dir, filepath.Base(artifact))
			part := strings.TrimPrefix(strings.SplitN(filepath.Base(artifact), ".", 2)[0], "rke2-images-")
			if filepath.Ext(artifact) == ".txt" {
				names := archives[part]
				if part == "cilium" {
					names = listed
				}
				return at, os.WriteFile(at, []byte("docker.io/rancher/"+strings.Join(names, "\ndocker.io/rancher/")+"\n"), 0o600)
			}
			return at, os.WriteFile(at, imageArchive(t, archives[part]), 0o600)
		})
		if (err != nil) != (want != "") || err != nil && (!archive.Missing.Is(err) || !strings.Contains(err.Error(), want)) {
			t.Errorf("have %v, need RANCHER-IMAGE-MISSING for %q", err, want)
		}
	}
}

// imageArchive has images that are a name and nothing else.
func imageArchive(t *testing.T, names []string) []byte {
	t.Helper()
	var index []map[string]any
	for _, n := range names {
		index = append(index, map[string]any{"Config": "c.json", "RepoTags": []string{"docker.io/rancher/" + n}})
	}
	list, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	a := tar.NewWriter(z)
	for name, data := range map[string][]byte{"manifest.json": list, "c.json": []byte("{}")} {
		if err := a.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func vxlanChecksum(t *testing.T) {
	all(t, func(t *testing.T, v, name string, n rendered) {
		_, rule, _ := strings.Cut(n.file("/etc/udev/rules.d/90-caisson-vxlan.rules"), `ACTION=="add"`)
		// canal; flannel, which has another number in RKE2; calico; cilium.
		for _, device := range []string{"flannel.1", "flannel-v6.1", "flannel.4096", "flannel-v6.4096", "vxlan.calico", "vxlan-v6.calico", "cilium_vxlan"} {
			_, devices, _ := strings.Cut(rule, `KERNEL=="`)
			devices, run, _ := strings.Cut(devices, `"`)
			if !slices.Contains(strings.Split(devices, "|"), device) || !strings.Contains(run, `RUN+="/usr/sbin/ethtool -K $name tx-checksum-ip-generic off"`) {
				t.Errorf("%s %s: %s keeps the offload: %s", v, name, device, rule)
			}
		}
	})
	if !slices.Contains(osPackages(t), "ethtool") {
		t.Error("ethtool is not in the node OS")
	}
}

func upgradeJobs(t *testing.T) {
	for _, o := range []profiles.Object{
		{APIVersion: "upgrade.cattle.io/v1", Kind: "Plan", Namespace: "system-upgrade", Name: "server"},
		{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "x", Name: "system-upgrade-controller"},
		{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "plans.upgrade.cattle.io"},
	} {
		o.File = "suc.yaml"
		err := New().CheckManifests(site(newest), []profiles.Object{{APIVersion: "v1", Kind: "Namespace", Name: "system-upgrade"}, o})
		if !node.UpgradeJobs.Is(err) || !strings.Contains(err.Error(), "RANCHER-UPGRADE-JOBS: cannot use manifest suc.yaml: have "+o.Kind+" ") || !strings.Contains(err.Error(), o.Name) {
			t.Errorf("%s: have %v, need RANCHER-UPGRADE-JOBS", o.Kind, err)
		}
	}
	for _, o := range []profiles.Object{
		{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, {APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "plans.example.com"},
		{APIVersion: "example.com/v1", Kind: "Plan", Name: "p"},
	} {
		if err := New().CheckManifests(site(newest), []profiles.Object{o}); err != nil {
			t.Errorf("%s %s: %v", o.Kind, o.Name, err)
		}
	}
}

func ingressUnderCIS(t *testing.T) {
	all(t, func(t *testing.T, v, name string, n rendered) {
		if have := settings(t, n)["ingress-controller"]; (have != nil) != (name != worker) {
			t.Errorf("%s %s: ingress-controller is %v", v, name, have)
		}
	})
	for _, c := range []struct {
		what, api, kind, namespace, policy string // policy: the namespace of one
		cni, ingress                       string
		refused                            bool
	}{
		{what: "no namespace", api: "networking.k8s.io/v1", kind: "Ingress", refused: true},
		{what: "default", api: "networking.k8s.io/v1", kind: "Ingress", namespace: "default", refused: true},
		{what: "kube-public", api: "networking.k8s.io/v1", kind: "Ingress", namespace: "kube-public", refused: true},
		{what: "Traefik's own", api: "traefik.io/v1alpha1", kind: "IngressRouteTCP", refused: true},
		{what: "calico", api: "networking.k8s.io/v1", kind: "Ingress", cni: "calico", refused: true},
		{what: "a policy of another namespace", api: "networking.k8s.io/v1", kind: "Ingress", policy: "web", refused: true},
		{what: "its own namespace", api: "networking.k8s.io/v1", kind: "Ingress", namespace: "web"},
		{what: "the controller's namespace", api: "networking.k8s.io/v1", kind: "Ingress", namespace: "kube-system"},
		{what: "a policy of that namespace", api: "networking.k8s.io/v1", kind: "Ingress", policy: "default"},
		{what: "a network without policies", api: "networking.k8s.io/v1", kind: "Ingress", cni: "flannel"},
		{what: "no ingress controller of ours", api: "networking.k8s.io/v1", kind: "Ingress", ingress: "none"},
		{what: "not an ingress", api: "v1", kind: "Service"},
		{what: "somebody else's kind", api: "example.com/v1", kind: "Ingress"},
	} {
		e := site(newest, "canal")
		if c.cni != "" {
			e.Kubernetes.CNI = []string{c.cni}
		}
		if c.ingress != "" {
			e.Kubernetes.Ingress = []string{c.ingress}
		}
		objects := []profiles.Object{{File: "web.yaml", APIVersion: c.api, Kind: c.kind, Namespace: c.namespace, Name: "web"}}
		if c.policy != "" {
			objects = append(objects, profiles.Object{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: c.policy})
		}
		err := New().CheckManifests(e, objects)
		if node.IngressClosed.Is(err) != c.refused || (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "RANCHER-INGRESS-CLOSED: cannot use manifest web.yaml: have "+c.kind+" ") {
			t.Errorf("%s: have %v, need RANCHER-INGRESS-CLOSED: %v", c.what, err, c.refused)
		}
	}
}
