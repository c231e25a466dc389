package kubeadm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// place writes secrets as the installer does.
func place(t *testing.T, root string, files []secrets.File) {
	t.Helper()
	for _, f := range files {
		write(t, root, f.Path, []byte(f.Data))
		if err := os.Chmod(filepath.Join(root, f.Path), f.Mode); err != nil {
			t.Fatal(err)
		}
	}
}

func made(t *testing.T) []secrets.File {
	t.Helper()
	files, err := New().MakeSecrets(demo("v1.37.2"), now.Add(13*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMakeSecrets(t *testing.T) {
	files := made(t)
	data := map[string]string{}
	var paths []string
	for _, f := range files {
		data[f.Path] = f.Data
		paths = append(paths, f.Path)
		if want := map[bool]int{true: 0o644, false: 0o600}[strings.HasSuffix(f.Path, ".crt")]; int(f.Mode) != want {
			t.Errorf("%s has mode %04o, want %04o", f.Path, f.Mode, want)
		}
	}
	slices.Sort(paths)
	if have, want := strings.Join(paths, " "), "/etc/kubernetes/apiserver/encryption.yaml /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/ca.key "+
		"/etc/kubernetes/pki/etcd/ca.crt /etc/kubernetes/pki/etcd/ca.key /etc/kubernetes/pki/front-proxy-ca.crt /etc/kubernetes/pki/front-proxy-ca.key "+
		"/etc/kubernetes/pki/sa.key /etc/kubernetes/pki/sa.pub"; have != want {
		t.Errorf("have %s\nwant %s", have, want)
	}
	for file, name := range map[string]string{"ca": "kubernetes", "etcd/ca": "etcd-ca", "front-proxy-ca": "front-proxy-ca"} {
		pair, err := tls.X509KeyPair([]byte(data[pki+file+".crt"]), []byte(data[pki+file+".key"]))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c := pair.Leaf
		if _, ecdsa := pair.PrivateKey.(*ecdsa.PrivateKey); !ecdsa || !c.IsCA || c.Subject.CommonName != name || c.CheckSignatureFrom(c) != nil || c.KeyUsage&x509.KeyUsageCertSign == 0 {
			t.Errorf("%s: have %T, CA %v, name %s", file, pair.PrivateKey, c.IsCA, c.Subject)
		}
		if begin := now.AddDate(0, 0, -1); !c.NotBefore.Equal(begin) || c.NotAfter.Sub(begin) != caLife {
			t.Errorf("%s: from %s to %s", file, c.NotBefore, c.NotAfter)
		}
	}
	private, _ := pem.Decode([]byte(data[pki+"sa.key"]))
	public, _ := pem.Decode([]byte(data[pki+"sa.pub"]))
	key, err := x509.ParseECPrivateKey(private.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if pub, err := x509.ParsePKIXPublicKey(public.Bytes); err != nil || !key.PublicKey.Equal(pub) {
		t.Errorf("sa.pub is not of sa.key: %v", err)
	}
	if !strings.Contains(data[encryptionFile], "aescbc:") || !strings.Contains(data[encryptionFile], "secret: ") {
		t.Errorf("no key in %q", data[encryptionFile])
	}
	again := made(t)
	for i, f := range files {
		if f.Data == again[i].Data {
			t.Errorf("%s is the same the second time", f.Path)
		}
	}
	if !New().TakesSecrets(spec.ControlPlane) || New().TakesSecrets(spec.Worker) {
		t.Error("the wrong role takes them")
	}
}

// TestKeysKeepWhatWasBrought: the node signs with the CA that came, and keeps the
// encryption's key.
func TestKeysKeepWhatWasBrought(t *testing.T) {
	root := t.TempDir()
	files := made(t)
	place(t, root, files)
	makeKeys(t, profiles.KeysInput{Root: root, Node: "ship-1", Now: now})
	for _, f := range files {
		if !bytes.Equal(read(t, root, f.Path), []byte(f.Data)) {
			t.Errorf("%s was changed", f.Path)
		}
	}
	block, _ := pem.Decode(read(t, root, servingCert))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	ca, _, err := readCA(root)
	if err != nil || cert.CheckSignatureFrom(ca) != nil {
		t.Errorf("the serving certificate is not of the CA that was brought: %v", err)
	}
	for _, c := range New().Checks(spec.ControlPlane, profiles.Newest) {
		if c.ID == "1.1.20" || c.ID == "1.1.21" || c.ID == "4.1.7" {
			if r := c.Run(t.Context(), root); r.Status != pass {
				t.Errorf("%s: %+v", c.ID, r)
			}
		}
	}
}

// TestInterruptedSetUpKeepsWhatWasBrought: what nobody can make again is not
// removed; without it, all is.
func TestInterruptedSetUpKeepsWhatWasBrought(t *testing.T) {
	const unit = "/etc/systemd/system/caisson-kubeadm-clean.service"
	in := input(spec.ControlPlane)
	words := func() []string { return strings.Fields(fileOf(t, render(t, in), unit)) }
	if w := words(); !slices.Contains(w, "/etc/kubernetes/pki") || !slices.Contains(w, encryptionFile) {
		t.Errorf("the node's own are not removed: %q", w)
	}
	in.Enclave.Secrets.Sealed = "s.age"
	removed := words()
	for _, f := range made(t) {
		for dir := f.Path; dir != "/etc"; dir = filepath.Dir(dir) {
			if slices.Contains(removed, dir) {
				t.Errorf("%s is removed, and %s with it", dir, f.Path)
			}
		}
	}
	for _, l := range append(leaves(), "/etc/kubernetes/manifests", "/var/lib/etcd") {
		if !slices.Contains(removed, l) {
			t.Errorf("%s stays", l)
		}
	}
}

// TestKubeadmKeepsTheCA: kubeadm itself makes the rest of the certificates, of the
// CAs that it finds, and nothing that the unit above does not know.
func TestKubeadmKeepsTheCA(t *testing.T) {
	program := os.Getenv("CAISSON_TEST_KUBEADM")
	if program == "" {
		t.Skip("CAISSON_TEST_KUBEADM names no kubeadm: it is not seen that it keeps the CA")
	}
	out, err := exec.Command(program, "version", "--output=short").CombinedOutput()
	if err != nil {
		t.Fatalf("%s version: %v\n%s", program, err, out)
	}
	root := t.TempDir()
	files, err := New().MakeSecrets(demo("v1.37.2"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	place(t, root, files)
	in := input(spec.ControlPlane)
	in.Enclave.Kubernetes.Version = strings.TrimSpace(string(out))
	config := strings.ReplaceAll(fileOf(t, render(t, in), "/etc/kubernetes/kubeadm.yaml"), "certificatesDir: /etc", "certificatesDir: "+root+"/etc")
	write(t, root, "kubeadm.yaml", []byte(config))
	if out, err := exec.Command(program, "init", "phase", "certs", "all", "--config="+filepath.Join(root, "kubeadm.yaml")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	known := leaves()
	for _, f := range files {
		known = append(known, f.Path)
		if !bytes.Equal(read(t, root, f.Path), []byte(f.Data)) {
			t.Errorf("kubeadm changed %s", f.Path)
		}
	}
	err = filepath.WalkDir(filepath.Join(root, pki), func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !slices.Contains(known, strings.TrimPrefix(p, root)) {
			t.Errorf("kubeadm made %s, which an interrupted set-up would leave", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ca, _, err := readCA(root)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(read(t, root, pki+"apiserver.crt"))
	if cert, err := x509.ParseCertificate(block.Bytes); err != nil || cert.CheckSignatureFrom(ca) != nil {
		t.Errorf("the API server's certificate is not of the CA that was brought: %v", err)
	}
}
