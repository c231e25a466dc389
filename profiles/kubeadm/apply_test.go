package kubeadm

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const demoManifest = `apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: whoami
  namespace: demo
spec: {replicas: 1}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}}
- {apiVersion: v1, kind: Service, metadata: {name: agent}}
`

func TestWorkloadsIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(demoManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := workloadsIn(file)
	want := []workload{{"Deployment", "demo", "whoami"}, {"DaemonSet", "default", "agent"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("have %v, %v\nwant %v", got, err, want)
	}
	if err := os.WriteFile(file, []byte("a: [b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := workloadsIn(file); !ManifestRefused.Is(err) {
		t.Errorf("got %v, want MANIFEST-REFUSED", err)
	}
}

func TestManifestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"02-b.yml", "01-a.yaml", "notes.txt", "03-c.json"} {
		write(t, dir, n, nil)
	}
	got, err := manifestFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	if want := []string{"01-a.yaml", "02-b.yml", "03-c.json"}; !slices.Equal(got, want) {
		t.Errorf("have %v, want %v", got, want)
	}
	if got, err := manifestFiles(filepath.Join(dir, "none")); got != nil || err != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
}

func TestWaitWorkloads(t *testing.T) {
	root := t.TempDir()
	c := start(t, root, adminConf)
	write(t, root, "m/a.yaml", []byte("kind: Deployment\nmetadata: {name: whoami}\n---\nkind: Job\nmetadata: {name: once}\n"))
	const deployment, pods = "/apis/apps/v1/namespaces/default/deployments/whoami", "/api/v1/namespaces/default/pods?labelSelector=app%3Dwhoami%2Ctier%3Dx"
	c.set(deployment, `{"metadata":{"generation":1},"spec":{"selector":{"matchLabels":{"tier":"x","app":"whoami"}}},"status":{"observedGeneration":1}}`)
	c.set(pods, `{"items":[{"status":{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"not found"}}}]}}]}`)
	ctx, cancel := context.WithCancel(context.Background())
	var said []string
	err := Profile{root: root}.WaitWorkloads(ctx, "m", func(s string) { said = append(said, s); cancel() })
	if !WorkloadNotReady.Is(err) || !strings.Contains(err.Error(), "ErrImagePull not found") {
		t.Errorf("got %v, want WORKLOAD-NOT-READY with the reason", err)
	}
	c.set(deployment, `{"metadata":{"generation":1},"status":{"observedGeneration":1,"readyReplicas":1,"updatedReplicas":1}}`)
	c.set("/apis/batch/v1/namespaces/default/jobs/once", `{"status":{"succeeded":1}}`)
	said = nil
	if err := (Profile{root: root}).WaitWorkloads(context.Background(), "m", func(s string) { said = append(said, s) }); err != nil {
		t.Error(err)
	}
	if want := []string{"deployment default/whoami is ready", "job default/once is ready"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestProgress(t *testing.T) {
	var ds workloadObject
	ds.Metadata.Generation = 2
	ds.Status.ObservedGeneration = 1
	if have, want := ds.progress("DaemonSet"); have >= want {
		t.Error("a DaemonSet that nobody looked at yet is ready")
	}
	zero := int64(0)
	var d workloadObject
	d.Spec.Replicas = &zero
	if have, want := d.progress("Deployment"); have < want {
		t.Error("a Deployment of no pods is not ready")
	}
}

// FuzzWorkloads: any file is read or refused.
func FuzzWorkloads(f *testing.F) {
	f.Add([]byte(demoManifest))
	f.Add([]byte(`{"kind":"Pod","metadata":{"name":"p"}}`))
	f.Add([]byte("kind: 1\nmetadata: []\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := filepath.Join(t.TempDir(), "m.yaml")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := workloadsIn(file)
		if err != nil && !ManifestRefused.Is(err) {
			t.Errorf("%v has no code", err)
		}
		for _, w := range found {
			if w.Name == "" || resources[w.Kind] == "" {
				t.Errorf("%+v", w)
			}
		}
	})
}

// FuzzKubeconfig: a damaged kubeconfig is refused, never a crash.
func FuzzKubeconfig(f *testing.F) {
	f.Add([]byte("clusters: [{cluster: {server: x}}]\nusers: [{user: {client-certificate: /a, client-key: /b}}]\n"))
	f.Add([]byte("clusters: 3"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if a, err := parseKubeconfig(t.TempDir(), raw); err == nil && a.client == nil {
			t.Error("neither a client nor an error")
		}
	})
}
