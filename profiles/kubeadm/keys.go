package kubeadm

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"caisson.dev/caisson/profiles"
)

// Where the secrets of a control plane lie. Keys makes the second and third.
const (
	caCert         = "/etc/kubernetes/pki/ca.crt"
	caKey          = "/etc/kubernetes/pki/ca.key"
	encryptionFile = "/etc/kubernetes/apiserver/encryption.yaml"
	servingCert    = "/var/lib/kubelet/pki/kubelet-server.crt"
	servingKey     = "/var/lib/kubelet/pki/kubelet-server.key"
	etcdData       = "/var/lib/etcd/member"
)

// Keys makes, on a control plane, what must be secret and is this node's alone:
// the key that secrets are encrypted with in etcd, unless the installer brought
// one (MakeSecrets), and the kubelet's serving certificate, signed by the
// cluster's CA. kubeadm makes everything else.
//
// It runs before each start of the kubelet: after kubeadm made the CA and wrote
// the kubelet's files, and before the API server's static pod can start. On a
// node without the CA's key (a worker) it makes nothing. Faults: NODE-KEYS-LOST,
// NODE-CREDENTIALS, or an error of the disk.
func (p Profile) Keys(in profiles.KeysInput) error {
	root := in.Root
	if root == "" {
		root = "/"
	}
	// kubeadm writes these for all to read; the benchmark wants 0600 (4.1.9).
	for _, f := range []string{kubeletConfig, "/var/lib/kubelet/instance-config.yaml", "/var/lib/kubelet/kubeadm-flags.env"} {
		if err := os.Chmod(filepath.Join(root, f), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(root, caKey)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := makeEncryption(root); err != nil {
		return err
	}
	return makeServing(root, in)
}

// encryptionConfig is EncryptionConfiguration v1 with one AES key. AES-CBC is
// on the CIS benchmark's list (1.2.28) and, unlike secretbox, an algorithm that
// FIPS 140 approves; identity is last, so that nothing written before is lost.
const encryptionConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc:
      keys:
      - name: node1
        secret: %s
  - identity: {}
`

// makeEncryption makes the encryption key once. A node whose etcd holds data
// but whose key is gone is refused: with a new key the API server would start,
// and fail to read every secret.
func makeEncryption(root string) error {
	path := filepath.Join(root, encryptionFile)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(root, etcdData)); err == nil {
		return NodeKeysLost.New("cannot start Kubernetes: have data in %s, need the key in %s that its secrets were written with", etcdData, encryptionFile).
			Hint("restore %s from this node's backup", encryptionFile)
	}
	return writeSecret(path, newEncryption())
}

// newEncryption is the encryption's configuration with a new key.
func newEncryption() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails (crypto/rand)
	return fmt.Appendf(nil, encryptionConfig, base64.StdEncoding.EncodeToString(key))
}

// writeSecret writes a file of mode 0600 that is there whole or not at all,
// even when the power goes.
func writeSecret(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".caisson-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // a no-op once renamed
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
