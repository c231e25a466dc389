package kubeadm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/cluster"
)

// fakeCluster is an API server of canned answers.
type fakeCluster struct {
	mu      sync.Mutex
	answers map[string]string // path and query -> JSON
}

func (c *fakeCluster) set(path, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[path] = body
}

func (c *fakeCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	body, ok := c.answers[r.URL.RequestURI()]
	c.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	fmt.Fprint(w, body)
}

const (
	nodePath = "/api/v1/nodes/ship-1"
	dnsPath  = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
)

var podsPath = "/api/v1/namespaces/kube-system/pods?fieldSelector=" + url.QueryEscape("spec.nodeName=ship-1")

// start serves a cluster and writes the kubeconfig that reaches it.
func start(t *testing.T, root, conf string) *fakeCluster {
	t.Helper()
	c := &fakeCluster{answers: map[string]string{}}
	s := httptest.NewTLSServer(c)
	t.Cleanup(s.Close)
	write(t, root, conf, credentials(t, s))
	return c
}

func pod(name, label, value string, ready bool) map[string]any {
	status := "False"
	if ready {
		status = "True"
	}
	return map[string]any{
		"metadata": map[string]any{"name": name, "labels": map[string]string{label: value}},
		"status":   map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": status}}},
	}
}

func pods(t *testing.T, items ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func never(context.Context) bool { return false }

func pendingNow(t *testing.T, r *readiness) string {
	t.Helper()
	p, err := r.pending(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A control plane comes up step by step, and each step is named.
func TestReadySteps(t *testing.T) {
	root := t.TempDir()
	r := &readiness{root: root, node: "ship-1", initFailed: never}
	expect := func(part string) {
		t.Helper()
		if got := pendingNow(t, r); !strings.Contains(got, part) || (part == "" && got != "") {
			t.Errorf("waits for %q, want %q", got, part)
		}
	}
	expect("kubeadm to set up")
	write(t, root, adminConf, []byte("half"))
	expect("kubeadm to write")
	c := start(t, root, adminConf)
	expect("the API server")
	c.set("/readyz", "ok")
	expect("node ship-1")
	c.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"False","message":"cni not initialized\nmore"}]}}`)
	expect("to be Ready: cni not initialized")
	c.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	expect("kubeadm to finish")
	write(t, root, initDone, nil)
	expect("the list of pods")
	all := []map[string]any{pod("stranger", "app", "x", false)}
	for _, name := range controlPlane {
		all = append(all, pod(name+"-ship-1", "component", name, true))
	}
	c.set(podsPath, pods(t, all...))
	expect("pod kube-proxy (not there yet)")
	c.set(podsPath, pods(t, append(all, pod("kube-proxy-1", "k8s-app", "kube-proxy", false))...))
	expect("pod kube-proxy-1 (running, not ready)")
	c.set(podsPath, pods(t, append(all, pod("kube-proxy-1", "k8s-app", "kube-proxy", true))...))
	expect("deployment kube-system/coredns")
	c.set(dnsPath, `{"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":1,"updatedReplicas":2}}`)
	expect("1 of 2 ready")
	c.set(dnsPath, `{"metadata":{"generation":1},"spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":2,"updatedReplicas":2}}`)
	expect("")
}

// A worker looks at its own node only: it may see no more.
func TestReadyWorker(t *testing.T) {
	root := t.TempDir()
	c := start(t, root, kubeletConf)
	c.set("/readyz", "ok")
	c.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	if got := pendingNow(t, &readiness{root: root, node: "ship-1", initFailed: never}); got != "" {
		t.Errorf("waits for %q", got)
	}
}

func TestReadyInitFailed(t *testing.T) {
	r := &readiness{root: t.TempDir(), node: "ship-1", initFailed: func(context.Context) bool { return true }}
	if _, err := r.pending(context.Background()); !NodeInitFailed.Is(err) {
		t.Errorf("got %v, want NODE-INIT-FAILED", err)
	}
}

func TestReadyWhenTimeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	err := Profile{root: t.TempDir()}.Ready(ctx, func(string) { cancel() })
	if !cluster.NodeNotReady.Is(err) || fault.ExitStatus(err) != int(fault.Node) || !strings.Contains(err.Error(), "kubeadm to set up the node") {
		t.Errorf("got %v, want NODE-NOT-READY with what was missing", err)
	}
}

// TestMembership: what a node knows of its cluster, from none to Ready.
func TestMembership(t *testing.T) {
	root := t.TempDir()
	expect := func(want string, ready bool) {
		t.Helper()
		if words, is := cluster.Says(t.Context(), root, kubeletConf, "ship-1"); !strings.Contains(words, want) || strings.Contains(words, "\n") || is != ready {
			t.Errorf("have %q and ready %v, want %q and %v", words, is, want, ready)
		}
	}
	expect("none: this node is in no cluster yet", false)
	write(t, root, kubeletConf, []byte("half"))
	expect("NODE-CREDENTIALS", false)
	c := start(t, root, kubeletConf)
	expect("the API server answers 404 for "+nodePath, false)
	c.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"False","message":"cni not initialized\nmore"}]}}`)
	expect("calls this node not Ready (cni not initialized)", false)
	c.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	expect("the control plane answers and calls this node Ready", true)
	gone := httptest.NewTLSServer(c)
	write(t, root, kubeletConf, credentials(t, gone))
	gone.Close()
	expect("the control plane does not answer at "+gone.URL+" (connection refused)", false)
}
