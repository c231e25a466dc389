package node

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
)

// fullToken is the secure form: the CA's hash, then who asks.
var fullToken = regexp.MustCompile(`^K10([0-9a-f]*)::(.+)$`)

// readToken takes the token, or waits for its file, and holds its form and, on a
// server with a CA of its own, its hash against the CA.
func (p *Program) readToken(ctx context.Context) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	if token == "" {
		if p.Server && p.keys.text("server", "") == "" {
			return nil // the real one makes a token
		}
		return errors.New("--token is required")
	}
	m := fullToken.FindStringSubmatch(token)
	if m == nil {
		if strings.HasPrefix(token, "K10") {
			return errors.New("invalid token format")
		}
		return nil
	}
	if len(m[1]) != 0 && len(m[1]) != 64 {
		return errors.New("invalid token CA hash length")
	}
	if bundle, err := os.ReadFile(p.data("server/tls/server-ca.crt")); p.Server && err == nil && m[1] != "" {
		have, err := caHash(bundle)
		if err != nil {
			return err
		}
		if have != m[1] {
			return fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", m[1], have)
		}
	}
	return nil
}

func (p *Program) token(ctx context.Context) (string, error) {
	if t := p.keys.text("token", ""); t != "" {
		return t, nil
	}
	file := p.keys.text("token-file", "")
	if file == "" {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.TokenWait)
	defer cancel()
	tick := time.NewTicker(min(2*time.Second, p.TokenWait))
	defer tick.Stop()
	for {
		b, err := os.ReadFile(p.path(file))
		if err == nil && strings.TrimSpace(string(b)) == "" {
			return "", fmt.Errorf("token file %s is empty", file)
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return strings.TrimSpace(string(b)), err
		}
		p.say("Waiting for file %s to be created", file)
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("token file %s did not come: %w", file, err)
		case <-tick.C:
		}
	}
}

// caHash is the hash in a full token: of the file's bytes for one certificate,
// of the root's own bytes for a chain.
func caHash(bundle []byte) (string, error) {
	var certs [][]byte
	for rest := bundle; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		certs = append(certs, b.Bytes)
	}
	switch len(certs) {
	case 0:
		return "", errors.New("have no certificate in the CA bundle")
	case 1:
		sum := sha256.Sum256(bundle)
		return hex.EncodeToString(sum[:]), nil
	}
	for _, der := range certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return "", err
		}
		if c.CheckSignatureFrom(c) == nil {
			sum := sha256.Sum256(der)
			return hex.EncodeToString(sum[:]), nil
		}
	}
	return "", errors.New("have no root in the CA bundle")
}
