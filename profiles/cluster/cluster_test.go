package cluster

import (
	"context"
	"os"
	"path/filepath"
	"slices"
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
	want := []Workload{{"Deployment", "demo", "whoami"}, {"DaemonSet", "default", "agent"}}
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
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ManifestFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	if want := []string{"01-a.yaml", "02-b.yml", "03-c.json"}; !slices.Equal(got, want) {
		t.Errorf("have %v, want %v", got, want)
	}
	if got, err := ManifestFiles(filepath.Join(dir, "none")); got != nil || err != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
}

func TestProgress(t *testing.T) {
	var ds WorkloadObject
	ds.Metadata.Generation = 2
	ds.Status.ObservedGeneration = 1
	if have, want := ds.progress("DaemonSet"); have >= want {
		t.Error("a DaemonSet that nobody looked at yet is ready")
	}
	zero := int64(0)
	var d WorkloadObject
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
		if a, err := parseKubeconfig(t.TempDir(), raw); err == nil && a.Client == nil {
			t.Error("neither a client nor an error")
		}
	})
}

func TestUntil(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var said []string
	looks := 0
	last, err := Until(ctx, func(s string) { said = append(said, s) }, func(context.Context) (string, error) {
		looks++
		cancel()
		return "etcd", nil
	})
	if err != nil || last != "etcd" || looks != 1 || len(said) != 1 || said[0] != "waiting for etcd" {
		t.Errorf("last %q, %v, %d looks, said %q", last, err, looks, said)
	}
	if last, err := Until(context.Background(), func(string) {}, func(context.Context) (string, error) { return "", nil }); last != "" || err != nil {
		t.Errorf("last %q, %v", last, err)
	}
}
