package rke2cis

import (
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// objects are those of a cluster that nobody has changed, by the path that lists them.
var objects = map[string]string{
	"/api/v1/namespaces": `{"items":[{"metadata":{"name":"default"}},{"metadata":{"name":"kube-system"}},{"metadata":{"name":"kube-node-lease"}}]}`,
	"/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault": `{"items":[{"metadata":{"namespace":"default"},"automountServiceAccountToken":false}]}`,
	"/apis/networking.k8s.io/v1/networkpolicies":                    `{"items":[{"metadata":{"namespace":"default"}},{"metadata":{"namespace":"kube-system"}}]}`,
}

// cluster serves objects, some of them changed; it returns the kubeconfig.
func cluster(t *testing.T, changed map[string]string) string {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := changed[r.URL.RequestURI()]
		if !ok {
			body, ok = objects[r.URL.RequestURI()]
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	file := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return "clusters: [{cluster: {server: \"" + s.URL + "\", certificate-authority-data: " + file(string(ca)) + "}}]\nusers: [{user: {client-certificate-data: " +
		file(secretFiles()[server+"tls/client-ca.crt"]) + ", client-key-data: " + file(secretFiles()[server+"tls/client-ca.key"]) + "}}]\n"
}

// TestChecksAskTheCluster: what is wrong with a namespace fails the lines that are
// about it, and no other; so does a cluster that says nothing.
func TestChecksAskTheCluster(t *testing.T) {
	const spaces, accounts, policies = "/api/v1/namespaces", "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault", "/apis/networking.k8s.io/v1/networkpolicies"
	with := func(path, object string) map[string]string {
		return map[string]string{path: strings.Replace(objects[path], "[", "["+object+",", 1)}
	}
	labelled := func(level string) map[string]string {
		return with(spaces, `{"metadata":{"name":"kube-node-lease","labels":{"pod-security.kubernetes.io/enforce":"`+level+`"}}}`)
	}
	const restricted = "5.2.6 5.2.7 5.2.8 5.2.9"
	for _, c := range []struct {
		want    string
		changed map[string]string
	}{
		{"", labelled("restricted")},
		{restricted, labelled("baseline")},
		{"5.2.2 5.2.3 5.2.4 5.2.5 " + restricted + " 5.2.10 5.2.11 5.2.12", labelled("privileged")},
		{"", with(spaces, `{"metadata":{"name":"kube-system","labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`)}, // exempt as it is
		{"5.3.2", with(spaces, `{"metadata":{"name":"site"}}`)},
		{"5.3.2", map[string]string{policies: `{"items":[]}`}},
		{"5.1.5", with(accounts, `{"metadata":{"namespace":"site"}}`)},
		{"5.1.5", with(accounts, `{"metadata":{"namespace":"site"},"automountServiceAccountToken":true}`)},
		{"5.1.5", map[string]string{accounts: "x"}},
	} {
		root := running(t, first)
		write(t, root, "/etc/rancher/rke2/rke2.yaml", cluster(t, c.changed))
		if have := failed(t, profile(t, 401, false), spec.ControlPlane, root); !slices.Equal(have, strings.Fields(c.want)) {
			t.Errorf("%v: %v do not pass, need %q", c.changed, have, c.want)
		}
	}
	root := running(t, first)
	write(t, root, "/etc/rancher/rke2/rke2.yaml", cluster(t, with(spaces, `{"metadata":{"name":"site"}}`)))
	for _, k := range New().Checks(spec.ControlPlane, profiles.Newest) {
		if r := k.Run(t.Context(), root); k.ID == "5.3.2" && r.Have != "not in site" {
			t.Errorf("5.3.2 has %q, need the namespace", r.Have)
		}
	}
}

// TestOlderBenchmarkWantsCertificatesClosed: the same files, another mode.
func TestOlderBenchmarkWantsCertificatesClosed(t *testing.T) {
	root := running(t, first) // client-ca.crt is for all to read
	for benchmark, want := range map[string]string{"1.9": "fail", "1.10": "fail", "1.11": "pass", "1.12": "pass"} {
		for _, k := range New().Checks(spec.ControlPlane, benchmark) {
			if r := k.Run(t.Context(), root); k.ID == "4.1.7" && r.Status != want {
				t.Errorf("%s: %+v, need %s", benchmark, r, want)
			}
		}
	}
}
