package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// serve opens the ports of the role and serves them until ctx ends. Who
// shows no certificate gets /ping and /cacerts and nothing else.
func (p *Program) serve(ctx context.Context) error {
	kubelet := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Unauthorized", http.StatusUnauthorized) })
	if err := p.open(ctx, ":10250", kubelet, "agent/serving-kubelet", "", tls.NoClientCert); err != nil {
		return err
	}
	api := p.handler()
	if !p.Server {
		return p.open(ctx, "127.0.0.1:6443", api, "agent/serving-kubelet", "agent/client-ca.crt", tls.VerifyClientCertIfGiven)
	}
	main := []string{":6443"}
	if p.Product == "rke2" {
		main = append(main, ":9345")
	}
	for _, a := range main {
		if err := p.open(ctx, a, api, "server/tls/serving-kube-apiserver", "server/tls/client-ca.crt", tls.VerifyClientCertIfGiven); err != nil {
			return err
		}
	}
	for _, a := range []string{"127.0.0.1:10257", "127.0.0.1:10259"} {
		if err := p.open(ctx, a, kubelet, "server/tls/serving-kube-apiserver", "", tls.NoClientCert); err != nil {
			return err
		}
	}
	if p.Product == "k3s" && !p.keys.yes("cluster-init") && p.keys.text("server", "") == "" {
		return p.openedAll() // SQLite: no etcd
	}
	for a, base := range map[string]string{":2379": "server-client", ":2380": "peer-server-client"} {
		ca := "server/tls/etcd/" + map[string]string{"server-client": "server-ca", "peer-server-client": "peer-ca"}[base] + ".crt"
		if err := p.open(ctx, a, kubelet, "server/tls/etcd/"+base, ca, tls.RequireAndVerifyClientCert); err != nil {
			return err
		}
	}
	return p.openedAll()
}

func (p *Program) openedAll() error {
	p.say("ETCD server is now running (nothing runs: this is a stand-in)")
	p.say("Kube API server is now running (nothing runs: this is a stand-in)")
	return nil
}

// open serves TLS at an address.
func (p *Program) open(ctx context.Context, address string, h http.Handler, base, clients string, auth tls.ClientAuthType) error {
	cert, err := tls.LoadX509KeyPair(p.data(base+".crt"), p.data(base+".key"))
	if err != nil {
		return err
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: auth, MinVersion: tls.VersionTLS12}
	if clients != "" {
		text, err := os.ReadFile(p.data(clients))
		if err != nil {
			return err
		}
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AppendCertsFromPEM(text)
	}
	l, err := p.Listen(address)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.Serve(tls.NewListener(l, c)) }()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return nil
}

// join is an agent's start: the server's CA is fetched and held against the
// token, then the server must answer. It tries until ctx ends, as the
// real one does; its own API is that of a load balancer here.
func (p *Program) join(ctx context.Context) error {
	server := strings.TrimRight(p.keys.text("server", ""), "/")
	if server == "" {
		return errors.New("--server is required")
	}
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	for {
		err := p.validate(ctx, server, token)
		if err == nil {
			break
		}
		p.say("level=error msg=\"Failed to validate connection to cluster at %s: %v\"", server, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
	local := p.data("agent/stand-in-ca") // vouches for the made-up load balancer
	if p.tls, err = p.ca(local); err != nil {
		return err
	}
	for name, groups := range map[string][]string{"serving-kubelet": nil, "client-kubelet": {"system:nodes"}, "client-kube-proxy": nil} {
		issued, err := p.tls.issue(name, groups, append([]string{"127.0.0.1", p.nodeName()}, p.keys.list("node-ip")...))
		if err == nil {
			err = errors.Join(put(p.data("agent", name+".crt"), issued.cert, 0o644), put(p.data("agent", name+".key"), issued.key, 0o600))
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(
		put(p.data("agent/client-ca.crt"), p.tls.pem, 0o644),
		p.writeKubeconfig(p.data("agent/kubelet.kubeconfig"), p.data("agent/client-kubelet"), 0o600),
		p.writeKubeconfig(p.data("agent/kubeproxy.kubeconfig"), p.data("agent/client-kube-proxy"), 0o600))
}

func (p *Program) validate(ctx context.Context, server, token string) error {
	// The CA is not known yet: the token's hash vouches for it.
	blind := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: p.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer blind.CloseIdleConnections()
	bundle, err := get(ctx, blind, server+"/cacerts")
	if err != nil {
		return err
	}
	if m := fullToken.FindStringSubmatch(token); m != nil && m[1] != "" {
		have, err := caHash(bundle)
		if err != nil {
			return err
		}
		if have != m[1] {
			return fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", m[1], have)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(bundle)
	sure := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: p.Dial, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	defer sure.CloseIdleConnections()
	pong, err := get(ctx, sure, server+"/ping")
	if err == nil && strings.TrimSpace(string(pong)) != "pong" {
		err = fmt.Errorf("have %q from /ping, need pong", pong)
	}
	if err != nil {
		return err
	}
	return put(p.data("agent/server-ca.crt"), bundle, 0o644)
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}

// audit writes a line about a request where the policy logs anything, as the
// API server would; the file has to grow on a node whose audit is checked.
func (p *Program) audit(r *http.Request) error {
	api := p.apiServer()
	file, policy := api["audit-log-path"], api["audit-policy-file"]
	if file == "" || policy == "" {
		return nil
	}
	text, err := os.ReadFile(p.path(policy))
	if err != nil || !logs(string(text)) {
		return err
	}
	f, err := os.OpenFile(p.path(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","stage":"ResponseComplete","requestURI":%q,"verb":"get","annotations":{"stand-in":"true"},"stageTimestamp":%q}`+"\n",
		r.URL.Path, time.Now().UTC().Format(time.RFC3339Nano))
	return errors.Join(err, f.Close())
}

// logs tells whether an audit policy has a rule of another level than None.
func logs(policy string) bool {
	for _, level := range []string{"Metadata", "RequestResponse", "Request"} {
		for line := range strings.Lines(policy) {
			if line = strings.TrimLeft(line, " -"); strings.HasPrefix(line, "level: "+level) || strings.Contains(line, "{level: "+level) {
				return true
			}
		}
	}
	return false
}

// cacerts is the file that tokens are held against.
func (p *Program) cacerts() ([]byte, error) {
	if p.Server {
		return os.ReadFile(p.data("server/tls/server-ca.crt"))
	}
	return os.ReadFile(filepath.Join(p.data("agent"), "server-ca.crt"))
}
