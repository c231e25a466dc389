package rke2cis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
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
