package kubeadm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/cluster"
)

// closedPaths are asked without credentials: the API, its secrets, and what it
// says of itself.
var closedPaths = []string{"/api", "/api/v1/secrets", "/version"}

// apiAnonymous asks with no credentials. The paths of harmless may answer.
func apiAnonymous(ctx context.Context, root string) profiles.Result {
	const want = "401 or 403"
	a, err := cluster.Connect(root, adminConf)
	if err != nil {
		return unreadable(err, want)
	}
	stranger := a.WithoutCredentials()
	defer stranger.CloseIdleConnections()
	var have []string
	ok := true
	for _, path := range closedPaths {
		status, err := ask(ctx, stranger, a.Server+path)
		if err != nil {
			return unreadable(err, want)
		}
		have = append(have, fmt.Sprintf("%d for %s", status, path))
		ok = ok && (status == http.StatusUnauthorized || status == http.StatusForbidden)
	}
	return verdict(ok, strings.Join(have, ", "), want)
}

// privileged is a pod that no namespace of people may run: Pod Security
// admission enforces baseline where a namespace says nothing (admission.yaml).
const privileged = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"caisson-check"},"spec":{"containers":[
{"name":"check","image":"registry.k8s.io/pause","securityContext":{"privileged":true}}]}}`

// privilegedPod asks whether that pod would be taken. dryRun=All: nothing is
// stored or started, whatever the answer.
func privilegedPod(ctx context.Context, root string) profiles.Result {
	const want = "403 by PodSecurity for a privileged pod in namespace default"
	a, err := cluster.Connect(root, adminConf)
	if err != nil {
		return unreadable(err, want)
	}
	defer a.Client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Server+"/api/v1/namespaces/default/pods?dryRun=All", strings.NewReader(privileged))
	if err != nil {
		return unreadable(err, want)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := a.Client.Do(req)
	if err != nil {
		return unreadable(err, want)
	}
	defer resp.Body.Close()
	var answer struct {
		Message string `json:"message"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, cluster.MaxAnswer)).Decode(&answer); err != nil {
		return unreadable(err, want)
	}
	ok := resp.StatusCode == http.StatusForbidden && strings.Contains(answer.Message, "PodSecurity")
	return verdict(ok, fmt.Sprintf("%d %s", resp.StatusCode, cluster.FirstLine(answer.Message)), want)
}

// longestEvent bounds what is read of the audit log's end: an event holds a
// request and an answer, each of 3 MiB at most.
const longestEvent = 8 << 20

// auditLog reads the last whole line of the log.
func auditLog(_ context.Context, root string) profiles.Result {
	const want = "an Event of audit.k8s.io in the last line"
	flags, err := flagsOf(root, "kube-apiserver")
	if err != nil {
		return unreadable(err, want)
	}
	path := flags["audit-log-path"]
	f, err := os.Open(filepath.Join(root, path))
	if err != nil {
		return unreadable(err, want)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return unreadable(err, want)
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-longestEvent), longestEvent))
	if err != nil {
		return unreadable(err, want)
	}
	// After the last line's end is what is being written at this moment.
	lines := bytes.Split(raw, []byte("\n"))
	if len(lines) < 2 {
		return verdict(false, fmt.Sprintf("%d bytes and no whole line in %s", info.Size(), path), want)
	}
	var event struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(lines[len(lines)-2], &event); err != nil {
		return unreadable(fmt.Errorf("%s: %w", path, err), want)
	}
	ok := strings.HasPrefix(event.APIVersion, "audit.k8s.io/") && event.Kind == "Event"
	return verdict(ok, fmt.Sprintf("kind %q of %q", event.Kind, event.APIVersion), want)
}

// podRange: where the two differ, another node may give out this one's pod
// addresses. They do once the Node was deleted and registered itself anew.
func podRange(ctx context.Context, root string) profiles.Result {
	const conf = "/etc/cni/net.d/10-caisson.conflist"
	const want = "the subnet in " + conf + " equal to spec.podCIDR of the Node"
	var c struct {
		Plugins []struct {
			IPAM struct {
				Ranges [][]struct {
					Subnet string `json:"subnet"`
				} `json:"ranges"`
			} `json:"ipam"`
		} `json:"plugins"`
	}
	if err := check.ReadYAML(root, conf, &c); err != nil {
		return unreadable(err, want)
	}
	if len(c.Plugins) == 0 || len(c.Plugins[0].IPAM.Ranges) != 1 || len(c.Plugins[0].IPAM.Ranges[0]) != 1 {
		return verdict(false, "no single subnet", want)
	}
	subnet := c.Plugins[0].IPAM.Ranges[0][0].Subnet
	name, err := os.ReadFile(filepath.Join(root, "/etc/hostname"))
	if err != nil {
		return unreadable(err, want)
	}
	a, err := cluster.Connect(root, adminConf)
	if err != nil {
		return unreadable(err, want)
	}
	defer a.Client.CloseIdleConnections()
	var n cluster.NodeObject
	if err := a.Get(ctx, "/api/v1/nodes/"+url.PathEscape(strings.TrimSpace(string(name))), &n); err != nil {
		return unreadable(err, want)
	}
	return verdict(subnet == n.Spec.PodCIDR, fmt.Sprintf("%s, and the Node has %q", subnet, n.Spec.PodCIDR), want)
}

// encryptedAtRest looks for the mark that the API server puts before what it
// encrypts, in the file that etcd keeps everything in. A cluster without a
// secret has none to look at.
func encryptedAtRest(ctx context.Context, root string) profiles.Result {
	const file, mark = etcdData + "/snap/db", "k8s:enc:"
	const want = "an encrypting provider first, and " + mark + " in " + file
	if r := staticPods.Encryption(root); r.Status != pass {
		return profiles.Result{Status: r.Status, Have: r.Have, Want: want}
	}
	a, err := cluster.Connect(root, adminConf)
	if err != nil {
		return unreadable(err, want)
	}
	defer a.Client.CloseIdleConnections()
	var secrets struct {
		Items []struct{} `json:"items"`
	}
	if err := a.Get(ctx, "/api/v1/secrets?limit=1", &secrets); err != nil {
		return unreadable(err, want)
	}
	if len(secrets.Items) == 0 {
		return profiles.Result{Status: manual, Have: "no secret to look at", Want: want}
	}
	f, err := os.Open(filepath.Join(root, file))
	if err != nil {
		return unreadable(err, want)
	}
	defer f.Close()
	found, err := contains(ctx, f, mark)
	if err != nil {
		return unreadable(err, want)
	}
	if !found {
		return verdict(false, "secrets, and no "+mark+" in "+file, want)
	}
	return verdict(true, mark+" in "+file, want)
}

// contains looks for mark in r, in constant memory, until ctx ends.
func contains(ctx context.Context, r io.Reader, mark string) (bool, error) {
	buf := make([]byte, 1<<20)
	kept := 0 // the end of the last piece: the mark may lie across two
	for ctx.Err() == nil {
		n, err := r.Read(buf[kept:])
		have := buf[:kept+n]
		if bytes.Contains(have, []byte(mark)) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf, have[max(0, len(have)-len(mark)+1):])
	}
	return false, context.Cause(ctx)
}
