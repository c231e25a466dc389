package secrets_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

const (
	phrase = "horse battery staple"
	marker = "KEY-BYTES-IN-THE-CLEAR"
	quick  = 10 // the work factor of tests
)

var (
	enclave = spec.Enclave{Metadata: spec.Metadata{Name: "demo"}, Kubernetes: spec.Kubernetes{Profile: "kubeadm"}}
	begin   = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
)

// files are a CA and a key.
func files(t *testing.T) []secrets.File {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: begin, NotAfter: begin.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return []secrets.File{{Path: "/etc/pki/ca.key", Mode: 0o600, Data: marker},
		{Path: "/etc/pki/ca.crt", Mode: 0o644, Data: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}}
}

func seal(t *testing.T) ([]byte, bundle.SealedSecrets) {
	t.Helper()
	sealed, said, err := secrets.Seal(enclave, files(t), phrase, quick)
	if err != nil {
		t.Fatal(err)
	}
	return sealed, said
}

func TestSealAndOpen(t *testing.T) {
	sealed, said := seal(t)
	if bytes.Contains(sealed, []byte(marker)) || said.Digest != digest.Of(sealed) || said.Size != int64(len(sealed)) {
		t.Fatalf("the sealed file says too much, or is not the one named: %+v", said)
	}
	if len(said.CAs) != 1 || said.CAs[0].Name != "kubernetes" || said.CAs[0].Path != "/etc/pki/ca.crt" || said.CAs[0].Fingerprint == "" {
		t.Errorf("the CAs are %+v", said.CAs)
	}
	set, err := secrets.Open(sealed, said, phrase)
	if err != nil {
		t.Fatal(err)
	}
	got := set.Files()
	if len(got) != 2 || got[0].Path != "/etc/pki/ca.crt" || got[1].Data != marker || got[1].Mode != 0o600 || set.Sealed() != said.Digest || set.Content() != said.Content {
		t.Errorf("have %d files, sealed %s", len(got), set.Sealed())
	}
	// However it is printed, it says nothing.
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb+verb+verb, set, got, got[1]); strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
			t.Errorf("%s prints it: %s", verb, text)
		}
	}
}

// TestOpenRefuses: what is opened is what is said, or nothing is opened.
func TestOpenRefuses(t *testing.T) {
	sealed, said := seal(t)
	other, _ := seal(t)
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1]++
	for _, c := range []struct {
		name   string
		sealed []byte
		phrase string
		change func(*bundle.SealedSecrets)
		code   string
	}{
		{"another passphrase", sealed, phrase + "!", nil, "SECRETS-PASSPHRASE"},
		{"no passphrase", sealed, "", nil, "SECRETS-PASSPHRASE"},
		{"another file", other, phrase, nil, "SECRETS-DIFFER"},
		{"a damaged file", damaged, phrase, func(s *bundle.SealedSecrets) { s.Digest = digest.Of(damaged) }, "SECRETS-NOT-SEALED"},
		{"another content", sealed, phrase, func(s *bundle.SealedSecrets) { s.Content = digest.Of(nil) }, "SECRETS-DIFFER"},
		{"another fingerprint", sealed, phrase, func(s *bundle.SealedSecrets) { s.CAs[0].Fingerprint = digest.Of(nil) }, "SECRETS-DIFFER"},
		{"another time", sealed, phrase, func(s *bundle.SealedSecrets) { s.CAs[0].NotAfter = begin }, "SECRETS-DIFFER"},
		{"another mode", sealed, phrase, func(s *bundle.SealedSecrets) { s.Files[1].Mode = 0o644 }, "SECRETS-DIFFER"},
		{"another enclave", sealed, phrase, func(s *bundle.SealedSecrets) { s.Enclave = "other" }, "SECRETS-DIFFER"},
		{"a file less", sealed, phrase, func(s *bundle.SealedSecrets) { s.Files = s.Files[:1] }, "SECRETS-DIFFER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := said
			changed.CAs, changed.Files = append([]bundle.CA(nil), said.CAs...), append([]bundle.SecretFile(nil), said.Files...)
			if c.change != nil {
				c.change(&changed)
			}
			set, err := secrets.Open(c.sealed, changed, c.phrase)
			if set != nil || err == nil || !strings.HasPrefix(err.Error(), c.code+": ") {
				t.Errorf("have %v, want %s", err, c.code)
			}
			if err != nil && strings.Contains(err.Error(), marker) {
				t.Errorf("the error says what is sealed: %v", err)
			}
		})
	}
}

// TestCheck is the low side: it has no passphrase.
func TestCheck(t *testing.T) {
	sealed, said := seal(t)
	notes, err := canon.JSON(said)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := secrets.Check(sealed, notes, enclave); err != nil || got.Digest != said.Digest {
		t.Fatalf("have %+v, %v", got, err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var forKey, armored bytes.Buffer
	w, err := age.Encrypt(&forKey, id.Recipient())
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	a := armor.NewWriter(&armored)
	_, err = a.Write(sealed)
	if err = errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	enclaveOf := func(name, profile string) spec.Enclave {
		return spec.Enclave{Metadata: spec.Metadata{Name: name}, Kubernetes: spec.Kubernetes{Profile: profile}}
	}
	other, _ := seal(t)
	for _, c := range []struct {
		name          string
		sealed, notes []byte
		e             spec.Enclave
		code, says    string
	}{
		{"a key in the clear", []byte("-----BEGIN EC PRIVATE KEY-----"), notes, enclave, "SECRETS-NOT-SEALED", "age v1"},
		{"an empty file", nil, notes, enclave, "SECRETS-NOT-SEALED", "age v1"},
		{"sealed for a key", forKey.Bytes(), notes, enclave, "SECRETS-NOT-SEALED", "other recipients"},
		{"armored", armored.Bytes(), notes, enclave, "SECRETS-NOT-SEALED", "not armored"},
		{"not a pair", other, notes, enclave, "SECRETS-FOREIGN", string(said.Digest)},
		{"another enclave", sealed, notes, enclaveOf("rack", "kubeadm"), "SECRETS-FOREIGN", `have those of the enclave "demo", need "rack"`},
		{"another profile", sealed, notes, enclaveOf("demo", "rke2-cis"), "SECRETS-FOREIGN", `"rke2-cis"`},
		{"notes that are none", sealed, []byte("{}"), enclave, "SECRETS-NOTES", ""},
		{"notes with more", sealed, []byte(`{"more": 1}`), enclave, "SECRETS-NOTES", "more"},
		{"notes with a path that climbs", sealed, bytes.ReplaceAll(notes, []byte("/etc/pki/ca.key"), []byte("/etc/../ca.key")), enclave, "SECRETS-NOTES", "clean absolute path"},
		{"notes with an open mode", sealed, bytes.ReplaceAll(notes, []byte(`"mode": 384`), []byte(`"mode": 511`)), enclave, "SECRETS-NOTES", "0600"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := secrets.Check(c.sealed, c.notes, c.e)
			if err == nil || !strings.HasPrefix(err.Error(), c.code+": ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v, want %s with %q", err, c.code, c.says)
			}
		})
	}
}

func TestPassphrase(t *testing.T) {
	for p, ok := range map[string]bool{phrase: true, "short": false, "": false, strings.Repeat("x", 201): false, "pässphräse that is long": false,
		" leading and long": false, "trailing and long ": false, "a tab\tin the middle": false} {
		if err := secrets.CheckPassphrase(p); (err == nil) != ok || !ok && !secrets.WeakPassphrase.Is(err) {
			t.Errorf("%q: %v", p, err)
		}
		if _, _, err := secrets.Seal(enclave, nil, p, quick); !ok && !secrets.WeakPassphrase.Is(err) {
			t.Errorf("%q seals: %v", p, err)
		}
	}
	for text, want := range map[string]string{"a b\n": "a b", "a b": "a b", "a b\r\nmore\n": "a b", "": ""} {
		if have := secrets.FromFile([]byte(text)); have != want {
			t.Errorf("%q: have %q", text, have)
		}
	}
}

func TestCheckTime(t *testing.T) {
	_, said := seal(t)
	for at, ok := range map[time.Time]bool{begin: true, begin.AddDate(9, 11, 0): true, begin.Add(-time.Second): false, begin.AddDate(10, 0, 1): false} {
		if err := secrets.CheckTime(said, at); (err == nil) != ok || !ok && !secrets.OutOfTime.Is(err) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
