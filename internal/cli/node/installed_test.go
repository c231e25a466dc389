package node

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
)

// installedTree is what an install leaves, as far as these commands read it.
func installedTree(t *testing.T, root string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(medium(t, nil), bundle.ManifestPath))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"var/lib/caisson/manifest.json": string(raw),
		"var/lib/caisson/caisson.yaml":  installtest.Spec,
		"var/lib/caisson/answers.json":  `{"name": "node1", "role": "control-plane", "disk": {"minSize": 4096}}`,
		"proc/mounts":                   "/dev/vda4 /var ext4 rw 0 0\noverlay /etc overlay rw 0 0\n",
		"proc/uptime":                   "75.25 100.00\n",
	} {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// soon is a run that waits for nothing longer than a moment.
func soon(t *testing.T, b *bench) (*run, *bytes.Buffer) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	t.Cleanup(cancel)
	var out bytes.Buffer
	return &run{ctx: ctx, in: strings.NewReader(""), out: &out, errw: &out, root: b.scratch, now: b.now, env: b}, &out
}

func TestStatus(t *testing.T) {
	b := newBench(t)
	b.cmdline = "ro caisson.slot=a"
	installedTree(t, b.scratch)
	r, out := soon(t, b)
	if err := (statusCmd{JSON: true}).Run(r); err != nil {
		t.Fatal(err)
	}
	var s state
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Node != "node1" || s.Role != "control-plane" || s.Slot != "a" || s.Profile != "kubeadm" || s.Uptime != "75.25" || !strings.HasPrefix(s.Record, "none: ") || len(s.CIS) == 0 {
		t.Errorf("the state is %+v", s)
	}
	r, out = soon(t, b)
	if err := (statusCmd{}).Run(r); err != nil || !strings.Contains(out.String(), "slot A") || !strings.Contains(out.String(), "up          1m15s") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestNotInstalled(t *testing.T) {
	b := newBench(t)
	for _, args := range [][]string{{"status"}, {"keys"}, {"prepare"}, {"ready"}, {"health"}} {
		status, _, errs := b.run(args...)
		if status != 7 || !strings.Contains(errs, "NODE-FILES") {
			t.Errorf("%v: status %d, %s", args, status, errs)
		}
	}
}

func TestHealth(t *testing.T) {
	b := newBench(t)
	installedTree(t, b.scratch)
	if err := os.WriteFile(filepath.Join(b.scratch, "proc/mounts"), []byte("/dev/vda4 /var ext4 rw 0 0\noverlay /var overlay rw 0 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, _ := soon(t, b)
	err := health(r)
	if !HealthFailed.Is(err) {
		t.Errorf("have %v, need HEALTH-FAILED", err)
	}
	for _, want := range []string{`have "overlay" mounted on /var, need ext4`, `have "" mounted on /etc, need overlay`, "the registry does not answer"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestReadyEndsItsStream(t *testing.T) {
	b := newBench(t)
	installedTree(t, b.scratch)
	r, _ := soon(t, b)
	if err := (readyCmd{}).Run(r); err == nil {
		t.Error("a node without Kubernetes is ready")
	}
	all := b.events()
	if last := all[len(all)-1]; last.Name != "done" || last.Data["result"] != "failed" || last.Code == "" || last.Source != "node" {
		t.Errorf("the stream ends with %+v", last)
	}
}

func TestWaitHTTP(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	b := newBench(t)
	if status, _, errs := b.run("wait-http", s.URL, "--timeout", "20s"); status != 0 || asked.Load() != 3 {
		t.Errorf("status %d after %d requests: %s", status, asked.Load(), errs)
	}
	s.Close()
	if status, _, errs := b.run("wait-http", s.URL, "--timeout", "50ms"); status != 7 || !strings.Contains(errs, "WAIT-TIMEOUT") {
		t.Errorf("status %d: %s", status, errs)
	}
}

func TestExplainAndUsage(t *testing.T) {
	b := newBench(t)
	if status, out, _ := b.run("explain", "disk-too-small"); status != 0 || !strings.Contains(out, "# DISK-TOO-SMALL") {
		t.Errorf("status %d\n%s", status, out)
	}
	if status, _, errs := b.run("install", "--force"); status != 2 || !strings.Contains(errs, "USAGE") {
		t.Errorf("status %d\n%s", status, errs)
	}
	status, out, _ := b.run("--help")
	if status != 0 || !strings.Contains(out, "wait-http") {
		t.Errorf("status %d\n%s", status, out)
	}
	for line := range strings.Lines(out) {
		if len(line) > 81 {
			t.Errorf("help is wider than 80 columns: %s", line)
		}
	}
}
