package kubeadm

import (
	"context"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/cluster"
)

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
	if !cluster.WorkloadNotReady.Is(err) || !strings.Contains(err.Error(), "ErrImagePull not found") {
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
