// Package kube reads a cluster with a node's own kubeconfig and waits for what
// runs on it: the part of readiness that is the same whatever distribution of
// Kubernetes the node has. It writes nothing. The profiles stand above it.
package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"
)

// MaxAnswer bounds what is read of one answer, in bytes.
const MaxAnswer = 32 << 20

// API reads the cluster with a node's own kubeconfig. It is a plain HTTPS
// client: the few objects looked at do not pay for Kubernetes' client library
// in the node's one program.
type API struct {
	Server string
	Client *http.Client
}

// kubeconfig is the part that kubeadm, RKE2 and K3s write: one cluster, one user, its
// certificates inside or beside the file. []byte is base64 in the file.
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     []byte `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Cert     []byte `json:"client-certificate-data"`
			Key      []byte `json:"client-key-data"`
			CertFile string `json:"client-certificate"`
			KeyFile  string `json:"client-key"`
		} `json:"user"`
	} `json:"users"`
}

// Connect reads a kubeconfig; nothing is dialled yet. The hint says who makes
// the file anew if it is damaged (NODE-CREDENTIALS).
func Connect(root, conf, hint string) (*API, error) {
	raw, err := os.ReadFile(filepath.Join(root, conf))
	if err != nil {
		return nil, err
	}
	a, err := parseKubeconfig(root, raw)
	if err != nil {
		return nil, NodeCredentials.New("cannot use %s: %w", conf, err).
			Hint("%s", hint)
	}
	return a, nil
}

func parseKubeconfig(root string, raw []byte) (*API, error) {
	var k kubeconfig
	if err := yaml.Unmarshal(raw, &k); err != nil {
		return nil, err
	}
	if len(k.Clusters) != 1 || len(k.Users) != 1 {
		return nil, fmt.Errorf("have %d clusters and %d users, need one of each", len(k.Clusters), len(k.Users))
	}
	u := k.Users[0].User
	if u.CertFile != "" && u.KeyFile != "" {
		var err error
		if u.Cert, err = os.ReadFile(filepath.Join(root, u.CertFile)); err != nil {
			return nil, err
		}
		if u.Key, err = os.ReadFile(filepath.Join(root, u.KeyFile)); err != nil {
			return nil, err
		}
	}
	pair, err := tls.X509KeyPair(u.Cert, u.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(k.Clusters[0].Cluster.CA) {
		return nil, fmt.Errorf("have no certificate in certificate-authority-data, need the cluster's CA")
	}
	return &API{Server: k.Clusters[0].Cluster.Server, Client: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			Proxy:           nil, // no way out of the node, whatever the environment says
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}},
		},
	}}, nil
}

// Anonymous is a client that checks the API server's certificate and
// shows none of its own.
func (a *API) Anonymous() *http.Client {
	t := a.Client.Transport.(*http.Transport).Clone()
	t.TLSClientConfig.Certificates = nil
	return &http.Client{Transport: t}
}

// StatusError is an answer that is not 200: what, and why.
type StatusError struct {
	Status int
	Path   string
}

func (e StatusError) Error() string {
	return fmt.Sprintf("the API server answers %d for %s", e.Status, e.Path)
}

// Get reads one object into v, or with v nil only asks whether the answer is 200.
func (a *API) Get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Server+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return StatusError{Status: resp.StatusCode, Path: path}
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(body, v)
}
