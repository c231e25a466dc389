package kubeadm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/cluster"
)

var now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// newCA writes a CA the way kubeadm does.
func newCA(t *testing.T, root string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"},
		NotBefore: now.Add(-5 * time.Minute), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, caCert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, root, caKey, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func write(t *testing.T, root, name string, data []byte) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func keysInput(root string) profiles.KeysInput {
	return profiles.KeysInput{Root: root, Node: "ship-1", Addresses: []netip.Addr{netip.MustParseAddr("10.20.0.11")}, Now: now}
}

func makeKeys(t *testing.T, in profiles.KeysInput) {
	t.Helper()
	if err := New().Keys(in); err != nil {
		t.Fatal(err)
	}
}

func TestKeysFirstBoot(t *testing.T) {
	root := t.TempDir()
	ca := newCA(t, root)
	write(t, root, kubeletConfig, []byte("x"))
	makeKeys(t, keysInput(root))

	m := regexp.MustCompile(`secret: (\S+)`).FindSubmatch(read(t, root, encryptionFile))
	key, err := base64.StdEncoding.DecodeString(string(m[1]))
	if err != nil || len(key) != 32 {
		t.Errorf("the key is %d bytes, %v, want 32", len(key), err)
	}
	block, _ := pem.Decode(read(t, root, servingCert))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, name := range []string{"ship-1", "10.20.0.11"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{encryptionFile, servingCert, servingKey, kubeletConfig} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
}

func TestKeysChangeNothingThatIsGood(t *testing.T) {
	root := t.TempDir()
	newCA(t, root)
	makeKeys(t, keysInput(root))
	before := [][]byte{read(t, root, encryptionFile), read(t, root, servingCert), read(t, root, servingKey)}
	write(t, root, etcdData+"/wal", nil) // with data, too
	in := keysInput(root)
	in.Now = now.AddDate(1, 0, 0)
	makeKeys(t, in)
	for i, name := range []string{encryptionFile, servingCert, servingKey} {
		if !bytes.Equal(before[i], read(t, root, name)) {
			t.Errorf("%s changed", name)
		}
	}
}

func TestServingCertificateIsRenewed(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, root string, in *profiles.KeysInput){
		"old": func(_ *testing.T, _ string, in *profiles.KeysInput) { in.Now = now.AddDate(2, 1, 0) },
		"address": func(_ *testing.T, _ string, in *profiles.KeysInput) {
			in.Addresses[0] = netip.MustParseAddr("10.20.0.12")
		},
		"name":         func(_ *testing.T, _ string, in *profiles.KeysInput) { in.Node = "ship-2" },
		"half written": func(t *testing.T, root string, _ *profiles.KeysInput) { write(t, root, servingKey, nil) },
		"other key": func(t *testing.T, root string, _ *profiles.KeysInput) {
			other := t.TempDir()
			newCA(t, other)
			makeKeys(t, keysInput(other))
			write(t, root, servingKey, read(t, other, servingKey))
		},
		"other CA": func(t *testing.T, root string, _ *profiles.KeysInput) { newCA(t, root) },
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			newCA(t, root)
			in := keysInput(root)
			makeKeys(t, in)
			before, key := read(t, root, servingCert), read(t, root, encryptionFile)
			change(t, root, &in)
			makeKeys(t, in)
			if bytes.Equal(before, read(t, root, servingCert)) {
				t.Error("the certificate stayed")
			}
			if !bytes.Equal(key, read(t, root, encryptionFile)) {
				t.Error("the encryption key changed")
			}
		})
	}
}

func TestLostKeyIsNotReplaced(t *testing.T) {
	root := t.TempDir()
	newCA(t, root)
	write(t, root, etcdData+"/wal", nil)
	if err := New().Keys(keysInput(root)); !NodeKeysLost.Is(err) {
		t.Errorf("got %v, want NODE-KEYS-LOST", err)
	}
	if _, err := os.Stat(filepath.Join(root, encryptionFile)); err == nil {
		t.Error("a new key was made")
	}
}

func TestWorkerHasNoKeys(t *testing.T) {
	root := t.TempDir()
	makeKeys(t, keysInput(root))
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			t.Errorf("made %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCA(t *testing.T) {
	root := t.TempDir()
	newCA(t, root)
	write(t, root, caKey, []byte("not a key"))
	if err := New().Keys(keysInput(root)); !cluster.NodeCredentials.Is(err) {
		t.Errorf("got %v, want NODE-CREDENTIALS", err)
	}
}
