package kubeadm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// Ports of a node (kubernetes.io, Ports and Protocols); the kubelet's second
// one serves without any check unless it is off.
const (
	kubeletPort  = "10250"
	readOnlyPort = "10255"
	managerPort  = "10257"
	schedulePort = "10259"
	loopback     = "127.0.0.1"
)

func (p Profile) liveLines(role string) []liveLine {
	lines := []liveLine{
		{"C.7", "The kubelet turns away who shows no credentials", p.kubeletAnonymous},
		{"C.8", "The kubelet's port without checks is closed", p.kubeletReadOnly},
	}
	if role == spec.Worker {
		return lines
	}
	return append(lines,
		liveLine{"C.9", "The API server turns away who shows no credentials", apiAnonymous},
		liveLine{"C.10", "The controller manager cannot be reached from outside", p.thisNodeOnly(managerPort)},
		liveLine{"C.11", "The scheduler cannot be reached from outside", p.thisNodeOnly(schedulePort)},
		liveLine{"C.12", "etcd turns away who shows no certificate", p.etcdAnonymous},
		liveLine{"5.2.2", "A privileged pod is refused", privilegedPod},
		liveLine{"C.13", "The audit log is being written", auditLog},
		liveLine{"C.14", "Secrets lie encrypted in etcd's own file", encryptedAtRest},
		liveLine{"C.15", "Pods get addresses from the range that the cluster gave this node", podRange},
	)
}

func (p Profile) connectTo(ctx context.Context, network, address string) (net.Conn, error) {
	if p.dial != nil {
		return p.dial(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// kubeletAnonymous asks for the pods of this node with no credentials.
func (p Profile) kubeletAnonymous(ctx context.Context, _ string) profiles.Result {
	const where = "https://" + loopback + ":" + kubeletPort + "/pods"
	const want = "401 for " + where
	client := &http.Client{Transport: &http.Transport{
		Proxy: nil, DialContext: p.connectTo, DisableKeepAlives: true,
		// Whoever answers is told nothing: the question is what they tell us.
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true},
	}}
	status, err := ask(ctx, client, where)
	if err != nil {
		return unreadable(err, want)
	}
	return verdict(status == http.StatusUnauthorized, strconv.Itoa(status), want)
}

// ask is the status of a GET.
func ask(ctx context.Context, client *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// kubeletReadOnly: closed says something only of a kubelet that runs.
func (p Profile) kubeletReadOnly(ctx context.Context, _ string) profiles.Result {
	return p.openAndClosed(ctx, net.JoinHostPort(loopback, kubeletPort), net.JoinHostPort(loopback, readOnlyPort))
}

// thisNodeOnly: the port is open on the loopback interface and closed on the
// address that the node is known by.
func (p Profile) thisNodeOnly(port string) liveTest {
	return func(ctx context.Context, root string) profiles.Result {
		const want = "--advertise-address of the API server, to try it"
		flags, err := flagsOf(root, "kube-apiserver")
		if err != nil {
			return unreadable(err, want)
		}
		if flags["advertise-address"] == "" {
			return verdict(false, "none", want)
		}
		return p.openAndClosed(ctx, net.JoinHostPort(loopback, port), net.JoinHostPort(flags["advertise-address"], port))
	}
}

// openAndClosed: one address answers, the other is refused. A connection that is
// not refused but lost says nothing, and fails.
func (p Profile) openAndClosed(ctx context.Context, open, closed string) profiles.Result {
	want := open + " open, " + closed + " closed"
	c, err := p.connectTo(ctx, "tcp", open)
	if err != nil {
		return unreadable(err, want)
	}
	c.Close()
	c, err = p.connectTo(ctx, "tcp", closed)
	if err == nil {
		c.Close()
		return verdict(false, closed+" open", want)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return unreadable(err, want)
	}
	return verdict(true, closed+" refused", want)
}

// etcdAnonymous tries every address that etcd serves clients on.
func (p Profile) etcdAnonymous(ctx context.Context, root string) profiles.Result {
	const want = "a TLS alert for want of a certificate at every address of --listen-client-urls"
	flags, err := flagsOf(root, "etcd")
	if err != nil {
		return unreadable(err, want)
	}
	for _, s := range strings.Split(flags["listen-client-urls"], ",") {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return verdict(false, "--listen-client-urls="+flags["listen-client-urls"], want)
		}
		if have, ok := p.refusedByTLS(ctx, u.Host); !ok {
			return verdict(false, u.Host+": "+have, want)
		}
	}
	return verdict(true, "refused at "+flags["listen-client-urls"], want)
}

// refusedByTLS shows no certificate. In TLS 1.3 the client's handshake ends
// before the server has judged it (RFC 8446 4.4.2.4), so the alert may come as
// the answer to the first request.
func (p Profile) refusedByTLS(ctx context.Context, address string) (have string, ok bool) {
	c, err := p.connectTo(ctx, "tcp", address)
	if err != nil {
		return err.Error(), false
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(end); err != nil {
			return err.Error(), false
		}
	}
	// Nothing is told to whoever answers; see kubeletAnonymous.
	t := tls.Client(c, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
	err = t.HandshakeContext(ctx)
	if err == nil {
		// If this write fails, reading says why.
		io.WriteString(t, "GET /version HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\r\n")
		if _, err = t.Read(make([]byte, 1)); err == nil {
			return "an answer", false
		}
	}
	// How crypto/tls reports the other side's alert, and those on certificates.
	var remote *net.OpError
	ok = errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(err.Error(), "certificate")
	return err.Error(), ok
}
