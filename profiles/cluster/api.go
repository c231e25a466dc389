// Package cluster asks a live node's API server what profiles need to know: is
// the node ready, are its pods, do the carried workloads run. It changes
// nothing, and dials nothing but the server that the node's own kubeconfig names.
// caisson-node alone runs it, through the profiles that stand above it.
package cluster

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

// kubeconfig is the part that is used: one cluster, one user, its
// certificates inside or beside the file. []byte is base64 in the file.
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     []byte `json:"certificate-authority-data"`
			CAFile string `json:"certificate-authority"`
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

// Connect reads a kubeconfig; nothing is dialled yet.
func Connect(root, conf string) (*API, error) {
	raw, err := os.ReadFile(filepath.Join(root, conf))
	if err != nil {
		return nil, err
	}
	a, err := parseKubeconfig(root, raw)
	if err != nil {
		return nil, NodeCredentials.New("cannot use %s: %w", conf, err).
			Hint("Kubernetes' own set-up wrote this file: see the page for how it is made anew")
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
	u, server := k.Users[0].User, k.Clusters[0].Cluster
	if server.CAFile != "" {
		var err error
		if server.CA, err = os.ReadFile(filepath.Join(root, server.CAFile)); err != nil {
			return nil, err
		}
	}
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
	if !roots.AppendCertsFromPEM(server.CA) {
		return nil, fmt.Errorf("have no certificate of the cluster's CA, need one")
	}
	return &API{Server: server.Server, Client: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			Proxy:           nil, // no way out of the node, whatever the environment says
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}},
		},
	}}, nil
}

// WithoutCredentials is a client that checks the API server's certificate and
// shows none of its own.
func (a *API) WithoutCredentials() *http.Client {
	t := a.Client.Transport.(*http.Transport).Clone()
	t.TLSClientConfig.Certificates = nil
	return &http.Client{Transport: t}
}

// statusError is an answer that is not 200: what, and why.
type statusError struct {
	status int
	path   string
}

func (e statusError) Error() string {
	return fmt.Sprintf("the API server answers %d for %s", e.status, e.path)
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
		return statusError{status: resp.StatusCode, path: path}
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(body, v)
}
