package node

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"path"
	"strings"
	"time"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/secrets"
)

// The tokens' files below /etc/rancher/<product>.
const (
	ServerToken = "token"       // servers: starts the cluster and joins servers to it
	AgentToken  = "agent-token" // servers: what agents join with
	JoinToken   = "join-token"  // agents: the same, in full
)

// caLife is how long the CAs last: ten years, as the vendor's own.
const caLife = 3650 * 24 * time.Hour

// authorities are the CAs below server/tls, by the names that the vendor's own
// have (k3s pkg/daemons/control/deps; rke2-docs docs/security/certificates.md).
// Each signs itself, so that none vouches for what another signed.
func authorities(p release.Product) []struct{ file, name string } {
	return []struct{ file, name string }{
		{"server-ca", string(p) + "-server-ca"}, {"client-ca", string(p) + "-client-ca"}, {"request-header-ca", string(p) + "-request-header-ca"},
		{"etcd/server-ca", "etcd-server-ca"}, {"etcd/peer-ca", "etcd-peer-ca"},
	}
}

// MakeSecrets makes the CAs, the service accounts' key and the tokens of a
// cluster. The tokens hold the fingerprint of the server CA, so that a node
// that joins believes no other server.
func MakeSecrets(p release.Product, now time.Time) ([]secrets.File, error) {
	// A node whose clock is a few hours behind must still believe them.
	begin := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	var out []secrets.File
	add := func(file, data string) { out = append(out, secrets.File{Path: file, Mode: 0o600, Data: data}) }
	tls := Data(p) + "/server/tls/"
	serverCA := ""
	for _, a := range authorities(p) {
		cert, key, err := secrets.NewAuthority(fmt.Sprintf("%s@%d", a.name, begin.Unix()), nil, begin, caLife)
		if err != nil {
			return nil, err
		}
		if a.file == "server-ca" {
			serverCA = cert
		}
		add(tls+a.file+".crt", cert)
		add(tls+a.file+".key", key)
	}
	accounts, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	// In the traditional form, as the vendor's script makes it (k3s
	// contrib/util/generate-custom-ca-certs.sh).
	add(tls+"service.key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(accounts)})))
	server, agent := password(), password()
	etc := Etc(p) + "/"
	add(etc+ServerToken, token(serverCA, "server", server)+"\n")
	add(etc+AgentToken, agent+"\n")
	add(etc+JoinToken, token(serverCA, "node", agent)+"\n")
	return out, nil
}

// password is 32 random bytes in hex: it cannot be taken for a bootstrap token,
// which has a dot, or for a token in full (k3s pkg/clientaccess/token.go).
func password() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// token is a token in full. The CA's file has one certificate, so its hash is
// that of the file's bytes (k3s pkg/clientaccess/token.go, hashCA).
func token(ca, user, password string) string {
	sum := sha256.Sum256([]byte(ca))
	return "K10" + hex.EncodeToString(sum[:]) + "::" + user + ":" + password
}

// Takes tells whether the node gets the secret file: the CAs' keys are for the
// server that starts the cluster (the others fetch them from it), the servers'
// token for servers, and an agent gets nothing but what it joins with.
func (n Node) Takes(file string) bool {
	switch {
	case strings.HasPrefix(file, n.Data()+"/server/tls/"):
		return n.Role == config.First
	case path.Dir(file) != n.Etc():
		return false
	}
	return (path.Base(file) == JoinToken) != n.Server()
}
