package rke2cis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

// patience bounds a live test: what is down on this node is refused at once.
const patience = 15 * time.Second

// live is what the node's services are asked, and what only a node that ran has.
func (p Profile) live(role string) []profiles.Check {
	out := []profiles.Check{
		check.Of("C.7", "No image is asked for outside the enclave", closed),
		check.Of("C.8", "No certificate of this node runs out within a month", lasts),
		ask("C.9", "The kubelet refuses a stranger", p.refused("https://127.0.0.1:10250/pods")),
		ask("C.10", "The kubelet has no port that asks nobody who he is", p.shut("127.0.0.1:10255")),
	}
	if role != spec.Worker {
		out = append(out, ask("C.11", "The API server refuses a stranger", p.refused("https://127.0.0.1:6443/api/v1/namespaces")))
	}
	return out
}

func ask(id, title string, test func(context.Context) profiles.Result) profiles.Check {
	return profiles.Check{Name: id, ID: id, Title: title, Run: func(ctx context.Context, _ string) profiles.Result {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return test(ctx)
	}}
}

func (p Profile) reach(ctx context.Context, network, address string) (net.Conn, error) {
	if p.dial != nil {
		return p.dial(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// refused: a request without credentials is answered 401 or 403.
func (p Profile) refused(url string) func(context.Context) profiles.Result {
	return func(ctx context.Context) profiles.Result {
		const want = "401 or 403"
		client := &http.Client{Transport: &http.Transport{
			Proxy: nil, DialContext: p.reach, DisableKeepAlives: true,
			// Whoever serves here is asked nothing that matters, and told nothing.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
		}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return check.Unreadable(err, want)
		}
		resp, err := client.Do(req)
		if err != nil {
			return check.Unreadable(err, want)
		}
		resp.Body.Close()
		ok := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
		return check.Verdict(ok, fmt.Sprintf("%d for %s", resp.StatusCode, url), want)
	}
}

// shut: nobody listens there.
func (p Profile) shut(address string) func(context.Context) profiles.Result {
	return func(ctx context.Context) profiles.Result {
		const want = "nobody listens"
		c, err := p.reach(ctx, "tcp", address)
		if err == nil {
			c.Close()
			return check.Verdict(false, address+" answers", want)
		}
		return check.Verdict(errors.Is(err, syscall.ECONNREFUSED), err.Error(), want)
	}
}

// closed: what RKE2 made of registries.yaml leads to our own registry alone.
func closed(root string) profiles.Result {
	const want = "the node's own registry, for every image"
	raw, err := os.ReadFile(filepath.Join(root, registries.Path(config.RKE2)))
	if err != nil {
		return check.Unreadable(err, want)
	}
	file, err := registries.Parse(raw)
	if err != nil {
		return check.Unreadable(err, want)
	}
	tree, err := registries.ReadTree(os.DirFS(filepath.Join(root, registries.CertsDir(config.RKE2))))
	if err != nil {
		return check.Unreadable(err, want)
	}
	c, err := registries.ConfigOf(file)
	if err != nil {
		return check.Unreadable(err, want)
	}
	if err := c.Leaks(tree, registries.Rancher); err != nil {
		return check.Unreadable(err, want)
	}
	return check.Verdict(true, fmt.Sprintf("%d folders of %s", len(tree), registries.CertsDir(config.RKE2)), want)
}

// lasts: RKE2 renews its certificates at a start, when 120 days or less are left
// (rke2-docs docs/security/certificates.md).
func lasts(root string) profiles.Result {
	const want = "30 days or more for each"
	files, err := filepath.Glob(filepath.Join(root, agent, "*.crt"))
	more, _ := filepath.Glob(filepath.Join(root, server, "tls/*.crt"))
	files = append(files, more...)
	if err != nil || len(files) == 0 {
		return check.Verdict(false, "no certificate", want)
	}
	soon, name := time.Duration(1<<62), ""
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return check.Unreadable(err, want)
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return check.Unreadable(err, want)
		}
		if left := time.Until(c.NotAfter); left < soon {
			soon, name = left, filepath.Base(f)
		}
	}
	return check.Verdict(soon >= 30*24*time.Hour, fmt.Sprintf("%d days for %s", int(soon.Hours()/24), name), want)
}
