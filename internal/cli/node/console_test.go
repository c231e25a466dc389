package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/profiles"
	k3sedge "caisson.dev/caisson/profiles/k3s-edge"
	"caisson.dev/caisson/profiles/kubeadm"
	rke2cis "caisson.dev/caisson/profiles/rke2-cis"
	"caisson.dev/caisson/tui"
)

var _ tui.StatusHost = keeper{}

func (b *bench) Until(_ context.Context, at time.Time) { b.until = append(b.until, at) }

// put writes files below root.
func put(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for path, text := range files {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// certificate is one that ends then, in PEM, after its key.
func certificate(t *testing.T, until time.Time) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

const (
	groupFile  = "root:x:0:\nadm:x:4:ops\nsudo:x:27:second,ops,keyonly,locked\n"
	shadowFile = "root:*:20000:0:99999:7:::\nops:$y$j9T$x$y:20000:0:99999:7:::\nsecond:$6$a$b:20000::::::\nkeyonly:!:20000::::::\nlocked:!$6$a$b:20000::::::\nwatch:$6$a$b:20000::::::\n"
)

// TestLook: what an installed node shows.
func TestLook(t *testing.T) {
	b := newBench(t)
	b.cmdline, b.synced = "ro caisson.slot=b", true
	installedTree(t, b.scratch)
	r, _ := soon(t, b)
	day := func(n int) time.Time { return time.Date(2031, 1, n, 0, 0, 0, 0, time.UTC) }
	written := record.New(plan.Confirmed{}, machine.Machine{}, "test", day(1))
	written.Written = record.Stamp(day(2))
	raw, err := written.JSON()
	if err != nil {
		t.Fatal(err)
	}
	put(t, b.scratch, map[string]string{
		record.Path: string(raw), "etc/group": groupFile, "etc/shadow": shadowFile,
		"etc/kubernetes/pki/apiserver.crt":                           certificate(t, day(9)),
		"etc/kubernetes/pki/etcd/server.crt":                         certificate(t, day(5)),
		"etc/kubernetes/pki/ca.key":                                  "no certificate",
		"var/lib/kubelet/pki/kubelet-client-current.pem":             certificate(t, day(7)),
		"var/lib/kubelet/pki/kubelet-client-2026-11-25-02-30-55.pem": certificate(t, day(3)),
		"var/lib/kubelet/pki/kubelet.crt":                            certificate(t, day(8)) + certificate(t, day(6)),
	})
	n := keeper{r}.Look(t.Context())
	if n.Node != "node1" || n.Role != "control-plane" || n.Enclave != "demo" || n.Slot != "b" || n.Damaged != nil || n.Serves || !n.Synchronised || n.Server {
		t.Errorf("the node is %+v", n)
	}
	if n.Waits != "waiting for kubeadm to set up the node" {
		t.Errorf("it waits for %q", n.Waits)
	}
	if n.Cluster != "none: this node is in no cluster yet" || n.Member {
		t.Errorf("of the cluster it says %q, %v", n.Cluster, n.Member)
	}
	if n.Certificate != "etcd/server.crt" || !n.Until.Equal(day(5)) || n.CertificateErr != nil {
		t.Errorf("first to end is %s, %s, %v", n.Certificate, n.Until, n.CertificateErr)
	}
	if n.VarFree <= 0 || n.VarUsed <= 0 || !n.Installed.Equal(day(2)) || !strings.HasPrefix(n.Record, "sha256:") || n.RecordErr != nil {
		t.Errorf("the node is %+v", n)
	}
	if !slices.Equal(n.Admins, []string{"ops", "second"}) {
		t.Errorf("administrators with a password are %v", n.Admins)
	}
	put(t, b.scratch, map[string]string{"etc/kubernetes/pki/bad.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
	if n := (keeper{r}).Look(t.Context()); n.CertificateErr == nil || !strings.Contains(n.CertificateErr.Error(), "/etc/kubernetes/pki/bad.crt") {
		t.Errorf("a certificate that cannot be read: have %v", n.CertificateErr)
	}
}

func TestLookAtNothing(t *testing.T) {
	b := newBench(t)
	r, _ := soon(t, b)
	if n := (keeper{r}).Look(t.Context()); !NodeFiles.Is(n.Damaged) || len(n.Admins) > 0 {
		t.Errorf("have %+v, want NODE-FILES", n)
	}
	if name, _, err := soonest(b.scratch, kubeadm.New().Certificates()); name != "" || err != nil {
		t.Errorf("have %q, %v of no certificates", name, err)
	}
}

// TestCertificates: RKE2 and K3s keep theirs elsewhere, and those in containerd's
// store of images are nobody's on this node.
func TestCertificates(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2031, 1, n, 0, 0, 0, 0, time.UTC) }
	for product, p := range map[string]profiles.Certified{"rke2": rke2cis.New(), "k3s": k3sedge.New()} {
		root := t.TempDir()
		data := "var/lib/rancher/" + product + "/"
		for _, c := range []struct {
			file string
			ends time.Time
			want string
		}{
			{"agent/containerd/ca.crt", day(1), ""},
			{"server/tls-1/client-admin.crt", day(1), ""}, // set aside by a rotation
			{"server/tls/server-ca.crt", day(20), "server-ca.crt"},
			{"agent/client-kubelet.crt", day(9), "client-kubelet.crt"},
			{"server/tls/kube-scheduler/kube-scheduler.crt", day(8), "kube-scheduler/kube-scheduler.crt"},
			{"server/tls/etcd/client.crt", day(7), "etcd/client.crt"},
		} {
			put(t, root, map[string]string{data + c.file: certificate(t, c.ends)})
			name, until, err := soonest(root, p.Certificates())
			if err != nil || name != c.want || c.want != "" && !until.Equal(c.ends) {
				t.Errorf("%s with %s: have %q, %s, %v, want %q", product, c.file, name, until, err, c.want)
			}
		}
	}
}

// TestMenu: what each act does, and who may.
func TestMenu(t *testing.T) {
	b := newBench(t)
	b.stick = t.TempDir()
	installedTree(t, b.scratch)
	put(t, b.scratch, map[string]string{"etc/group": groupFile, "etc/shadow": shadowFile})
	r, out := soon(t, b)
	k := keeper{r}
	asked := time.Now()
	for _, c := range []struct {
		user, password string
		admitted       bool
	}{{"ops", "secret?", true}, {"ops", "secret", false}, {"watch", "secret?", false}, {"keyonly", "", false}, {"root", "", false}} {
		if err := k.Admit(t.Context(), c.user, c.password); (err == nil) != c.admitted || err != nil && !PasswordRefused.Is(err) {
			t.Errorf("%s with %q: %v", c.user, c.password, err)
		}
	}
	if len(b.until) != 5 || slices.ContainsFunc(b.until, func(at time.Time) bool { d := at.Sub(asked); return d < answerTime || d > answerTime+10*time.Second }) {
		t.Errorf("five answers came at %v, want each a second after it was asked for at %v", b.until, asked)
	}
	for _, a := range []tui.Act{tui.RestartKubernetes, tui.RestartRegistry, tui.SaveBundle, tui.Reboot} {
		if said, err := k.Do(t.Context(), a); err != nil || said == "" {
			t.Errorf("%s: %q, %v", a, said, err)
		}
	}
	if want := []string{"run systemctl restart --no-block kubelet.service", "run systemctl restart caisson-registry.service"}; !slices.Equal(b.sys.Calls, want) || b.left != "reboot" {
		t.Errorf("did %v and left by %q", b.sys.Calls, b.left)
	}
	if _, err := os.Stat(filepath.Join(b.stick, bundleName)); err != nil {
		t.Error(err)
	}
	b.stick = ""
	if _, err := k.Do(t.Context(), tui.SaveBundle); !StickMissing.Is(err) {
		t.Errorf("have %v, want STICK-MISSING", err)
	}
	if _, err := k.Do(t.Context(), tui.PowerOff); err != nil || b.left != "poweroff" {
		t.Errorf("left by %q, %v", b.left, err)
	}
	if text := out.String(); !strings.Contains(text, "console: ops opened the menu\n") || !strings.Contains(text, "console: watch was not let into the menu\n") || !strings.Contains(text, "console: kubernetes\n") || strings.Contains(text, "secret") {
		t.Errorf("the journal holds\n%s", text)
	}
}

// TestRestartKubernetes: each profile and role has a unit of its own, and the menu
// says which.
func TestRestartKubernetes(t *testing.T) {
	for profile, units := range map[string]map[string]string{
		"kubeadm, version: v1.37.2":         {"control-plane": "kubelet", "worker": "kubelet"},
		"rke2-cis, version: v1.36.3+rke2r1": {"control-plane": "rke2-server", "worker": "rke2-agent"},
		"k3s-edge, version: v1.36.2+k3s1":   {"control-plane": "k3s", "worker": "k3s-agent"},
	} {
		for role, unit := range units {
			b := newBench(t)
			installedTree(t, b.scratch)
			put(t, b.scratch, map[string]string{
				"var/lib/caisson/caisson.yaml": "apiVersion: caisson.dev/v1alpha1\nkind: Enclave\nmetadata: {name: site}\nkubernetes: {profile: " + profile + "}\nregistry: {engine: distribution, version: v3.1.2}\n",
				"var/lib/caisson/answers.json": `{"name": "node1", "role": "` + role + `", "network": {"address": "10.20.0.11/24"}}`,
			})
			r, _ := soon(t, b)
			k := keeper{r}
			if n := k.Look(t.Context()); n.Unit != unit {
				t.Errorf("%s %s: the state has unit %q (%v), want %q", profile, role, n.Unit, n.Damaged, unit)
			}
			said, err := k.Do(t.Context(), tui.RestartKubernetes)
			if want := []string{"run systemctl restart --no-block " + unit + ".service"}; err != nil || !slices.Equal(b.sys.Calls, want) || !strings.HasPrefix(said, unit+" restarts. ") {
				t.Errorf("%s %s: said %q, %v, and ran %v, want %v", profile, role, said, err, b.sys.Calls, want)
			}
		}
	}
	b := newBench(t)
	r, _ := soon(t, b)
	if _, err := (keeper{r}).Do(t.Context(), tui.RestartKubernetes); !NodeFiles.Is(err) || len(b.sys.Calls) > 0 {
		t.Errorf("a node that is not known: have %v, want NODE-FILES", err)
	}
}

// TestCheckPassword plays PAM's helper: what it is given, and what its status means.
func TestCheckPassword(t *testing.T) {
	helper := filepath.Join(t.TempDir(), "helper")
	script := `#!/bin/sh
[ $# = 2 ] && [ ! -t 0 ] || exit 4
case "$2 $1" in
"nonull ops" | "nonull old" | "nonull gone") [ "$(tr '\0' '|')" = "secret?|" ] || exit 7 ;;
"nonull "*) exit 9 ;;
"chkexpiry old") exit 12 ;;
"chkexpiry gone") exit 13 ;;
esac
`
	if err := os.WriteFile(helper, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ program, user, password, code string }{
		{helper, "ops", "secret?", ""},
		{helper, "ops", "secret", "PASSWORD-REFUSED"},
		{helper, "ops", "", "PASSWORD-REFUSED"},
		{helper, "old", "secret?", ""},
		{helper, "gone", "secret?", "PASSWORD-REFUSED"},
		{helper, "nobody", "secret?", "PASSWORD-UNCHECKED"},
		{helper + "-none", "ops", "secret?", "PASSWORD-UNCHECKED"},
	} {
		err := checkPassword(t.Context(), c.program, c.user, c.password)
		if (err == nil) != (c.code == "") || err != nil && !strings.HasPrefix(err.Error(), c.code) {
			t.Errorf("%s with %q: have %v, want %q", c.user, c.password, err, c.code)
		}
		if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
			t.Errorf("the error says the password: %v", err)
		}
	}
}

// TestBeneath: while the status console has the screen, others keep quiet there.
func TestBeneath(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(t.TempDir(), "mark")
	b := beneath{f, mark}
	say := func(text string) {
		if n, err := b.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	say("before ")
	if err := os.Mkdir(mark, 0o755); err != nil {
		t.Fatal(err)
	}
	say("during ")
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	say("after")
	if have, err := os.ReadFile(f.Name()); err != nil || string(have) != "before after" {
		t.Errorf("have %q, %v", have, err)
	}
}

func TestConsoleNeedsATerminal(t *testing.T) {
	b := newBench(t)
	if status, _, errs := b.run("console"); status != 2 || !strings.Contains(errs, "USAGE") || !strings.Contains(errs, "have no terminal") {
		t.Errorf("status %d, %s", status, errs)
	}
}
