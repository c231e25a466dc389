package kubeadm

import (
	"crypto/x509"
	"time"

	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

const pki = "/etc/kubernetes/pki/"

// caLife is how long the CAs last: ten years, as in the configuration that kubeadm
// makes its own with (caCertificateValidityPeriod).
const caLife = 10 * 365 * 24 * time.Hour

// authorities are the CAs of a cluster: file name without its end, and the name in
// the certificate, as kubeadm has them ("PKI certificates and requirements").
var authorities = []struct{ file, name string }{
	{"ca", "kubernetes"}, {"etcd/ca", "etcd-ca"}, {"front-proxy-ca", "front-proxy-ca"},
}

// leaves are the files that kubeadm makes beside what MakeSecrets makes.
func leaves() []string {
	var out []string
	for _, name := range []string{"apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client",
		"etcd/server", "etcd/peer", "etcd/healthcheck-client"} {
		out = append(out, pki+name+".crt", pki+name+".key")
	}
	return out
}

// TakesSecrets: workers get the CA's certificate when they join, and no key.
func (Profile) TakesSecrets(role string) bool { return role == spec.ControlPlane }

// MakeSecrets makes the CAs, the service accounts' key pair and the key that
// secrets are encrypted with, in the files and of the kind (ECDSA P-256,
// encryptionAlgorithm) that kubeadm.yaml would have kubeadm make. kubeadm keeps
// what it finds and signs the rest with it.
func (Profile) MakeSecrets(_ spec.Enclave, now time.Time) ([]secrets.File, error) {
	// A node whose clock is a few hours behind must still believe them.
	begin := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	var out []secrets.File
	for _, a := range authorities {
		cert, key, err := secrets.NewAuthority(a.name, []string{a.name}, begin, caLife)
		if err != nil {
			return nil, err
		}
		out = append(out, secrets.File{Path: pki + a.file + ".crt", Mode: 0o644, Data: cert}, secrets.File{Path: pki + a.file + ".key", Mode: 0o600, Data: key})
	}
	accounts, private, err := secrets.NewKey()
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(accounts.Public())
	if err != nil {
		return nil, err
	}
	return append(out,
		secrets.File{Path: pki + "sa.key", Mode: 0o600, Data: private},
		secrets.File{Path: pki + "sa.pub", Mode: 0o600, Data: secrets.PEM("PUBLIC KEY", public)},
		secrets.File{Path: encryptionFile, Mode: 0o600, Data: string(newEncryption())}), nil
}
