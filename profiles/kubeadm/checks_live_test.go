package kubeadm

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

const auditFile, dbFile = "var/log/kubernetes/audit/audit.log", "var/lib/etcd/member/snap/db"

// Each change opens one door or shuts one service, and that line says so.
func TestLiveChecks(t *testing.T) {
	const etcdPod = "etc/kubernetes/manifests/etcd.yaml"
	n := liveNode(t, spec.ControlPlane)
	set := func(file, data string) func(*testing.T) {
		return func(t *testing.T) { n.set(t, file, []byte(data)) }
	}
	replace := func(file, old, new string) func(*testing.T) {
		return func(t *testing.T) {
			n.set(t, file, bytes.Replace(read(t, n.root, file), []byte(old), []byte(new), 1))
		}
	}
	remove := func(file string) func(*testing.T) {
		return func(t *testing.T) { n.set(t, file, nil) }
	}
	shut := func(address string) func(*testing.T) {
		return func(*testing.T) { delete(n.ports, address) }
	}
	open := func(address string) func(*testing.T) {
		return func(t *testing.T) { n.ports[address] = listen(t) }
	}
	down := func(*testing.T) { n.apiServer.Close() }
	for _, c := range []struct {
		id, name, status, have string
		change                 func(*testing.T)
	}{
		{"C.7", "served", fail, "200", func(*testing.T) { n.kubelet = http.StatusOK }},
		{"C.7", "not there", fail, "refused", shut("127.0.0.1:10250")},
		{"C.8", "open", fail, "127.0.0.1:10255 open", open("127.0.0.1:10255")},
		{"C.8", "no kubelet", fail, "refused", shut("127.0.0.1:10250")},
		{"C.9", "served", fail, "200 for /api", func(*testing.T) { n.api.stranger = http.StatusOK }},
		{"C.9", "forbidden", pass, "403 for /api/v1/secrets", func(*testing.T) { n.api.stranger = http.StatusForbidden }},
		{"C.9", "no API server", fail, "refused", down},
		{"C.9", "no credentials to find it", fail, "admin.conf", remove(adminConf)},
		{"C.10", "open", fail, "10.20.0.11:10257 open", open("10.20.0.11:10257")},
		{"C.10", "not there", fail, "refused", shut("127.0.0.1:10257")},
		{"C.11", "open", fail, "10.20.0.11:10259 open", open("10.20.0.11:10259")},
		{"C.12", "served at one of two", fail, "10.20.0.11:2379: an answer", func(t *testing.T) {
			n.ports["10.20.0.11:2379"] = serve(t, http.NotFoundHandler(), tls.RequestClientCert).Listener
		}},
		{"C.12", "not there", fail, "refused", shut("127.0.0.1:2379")},
		{"C.12", "no TLS", fail, "http://127.0.0.1:2379", replace(etcdPod, "listen-client-urls=https", "listen-client-urls=http")},
		{"5.2.2", "taken", fail, "201", func(*testing.T) { n.api.pod, n.api.message = http.StatusCreated, "" }},
		{"5.2.2", "refused by another", fail, "403 no quota", func(*testing.T) { n.api.message = "no quota" }},
		{"5.2.2", "no API server", fail, "refused", down},
		{"C.13", "empty", fail, "0 bytes", set(auditFile, "")},
		{"C.13", "half a line", fail, "no whole line", set(auditFile, `{"kind":`)},
		{"C.13", "not JSON", fail, "invalid character", set(auditFile, "hello\n")},
		{"C.13", "another kind", fail, `kind "Pod" of "v1"`, set(auditFile, `{"kind":"Pod","apiVersion":"v1"}`+"\n")},
		{"C.13", "none", fail, "no such file", remove(auditFile)},
		{"C.14", "not encrypted", fail, "no k8s:enc:", set(dbFile, "/registry/secrets/default/a k8s")},
		{"C.14", "no secret", manual, "no secret", func(*testing.T) { n.api.secrets = `{"items":[]}` }},
		{"C.14", "identity first", fail, "identity", replace(encryptionFile, "aescbc", "identity")},
		{"C.14", "no file", fail, "no such file", remove(dbFile)},
		{"C.14", "no API server", fail, "refused", down},
		{"C.15", "another range", fail, `"10.42.1.0/24"`, func(*testing.T) { n.api.node = `{"spec":{"podCIDR":"10.42.1.0/24"}}` }},
		{"C.15", "no range yet", fail, `has ""`, func(*testing.T) { n.api.node = `{}` }},
		{"C.15", "no file", fail, "no such file", remove("etc/cni/net.d/10-caisson.conflist")},
	} {
		t.Run(c.id+" "+c.name, func(t *testing.T) {
			n.start(t)
			c.change(t)
			if r := n.run(t, c.id); r.Status != c.status || !strings.Contains(r.Have, c.have) || r.Want == "" {
				t.Errorf("%+v, want %s with %q", r, c.status, c.have)
			}
		})
	}
}

// Who takes a connection and never answers costs no more than the time given.
func TestLiveChecksDoNotHang(t *testing.T) {
	n := liveNode(t, spec.ControlPlane).start(t)
	silent := listen(t)
	for address := range n.ports {
		n.ports[address] = silent
	}
	put(t, n.root, adminConf, bytes.Replace(read(t, n.root, adminConf), []byte(n.apiServer.Listener.Addr().String()), []byte(silent.Addr().String()), 1), 0o600)
	for _, id := range []string{"C.7", "C.9", "C.12", "5.2.2", "C.14", "C.15"} {
		for _, check := range n.profile().Checks(spec.ControlPlane, profiles.Newest) {
			if check.ID != id {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			began := time.Now()
			if r := check.Run(ctx, n.root); r.Status != fail || r.Have == "" || time.Since(began) > patience/2 {
				t.Errorf("%s: %+v after %s", id, r, time.Since(began))
			}
			cancel()
		}
	}
}

// A worker's serving certificate is the cluster's, or a person must approve it.
func TestWorkerServing(t *testing.T) {
	n := liveNode(t, spec.Worker)
	for _, step := range []struct {
		change func()
		want   string
	}{
		{func() {}, pass},
		{func() { os.Remove(filepath.Join(n.root, approvedCert)) }, manual},
		{func() {
			write(t, n.root, kubeletConfig, bytes.Replace(read(t, n.root, kubeletConfig), []byte("serverTLSBootstrap: true"), nil, 1))
		}, fail},
	} {
		step.change()
		if r := n.run(t, "4.2.9"); r.Status != step.want {
			t.Errorf("%+v, want %s", r, step.want)
		}
	}
}

// The mark is found wherever a piece of the file ends.
func TestContains(t *testing.T) {
	const mark = "k8s:enc:"
	for _, at := range []int{0, 1, 1<<20 - 4, 1 << 20, 1<<20 + 1, 3<<20 - 1} {
		file := append(append(bytes.Repeat([]byte{'k'}, at), mark...), make([]byte, 100)...)
		for name, r := range map[string]func() (bool, error){
			"whole": func() (bool, error) { return contains(context.Background(), bytes.NewReader(file), mark) },
			"by half": func() (bool, error) {
				return contains(context.Background(), iotest.HalfReader(bytes.NewReader(file)), mark)
			},
			"at end": func() (bool, error) {
				return contains(context.Background(), iotest.DataErrReader(bytes.NewReader(file)), mark)
			},
		} {
			if found, err := r(); !found || err != nil {
				t.Errorf("%s, at %d: %v, %v", name, at, found, err)
			}
		}
		if found, err := contains(context.Background(), bytes.NewReader(file[:at+len(mark)-1]), mark); found || err != nil {
			t.Errorf("cut short at %d: %v, %v", at, found, err)
		}
	}
}
