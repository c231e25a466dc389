package k3sedge

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

// Addresses of the kubelet (kubernetes.io, Ports and Protocols); the second
// serves without any check unless it is off. Tests put their own in place.
var (
	kubeletAddress  = "127.0.0.1:10250"
	readOnlyAddress = "127.0.0.1:10255"
)

func nodeLive() []profiles.Check {
	return []profiles.Check{
		live("C.7", "The kubelet turns away who shows no credentials", kubeletAnonymous),
		live("C.8", "The kubelet's port without checks is closed", readOnlyClosed),
	}
}

func serverLive() []profiles.Check {
	// 5.2.2 is tried here, which says more than labels do.
	asked := slices.DeleteFunc(check.Namespaces(node.AdminConf(release.K3s), podAdmission), func(c profiles.Check) bool { return c.Name == "5.2.2" })
	return append(asked,
		live("C.9", "The API server turns away who shows no credentials", apiAnonymous),
		live("5.2.2", "A privileged pod is refused", privilegedPod),
		live("C.13", "The audit log is being written", auditWritten),
		live("C.14", "Secrets lie encrypted in the datastore's own files", encryptedAtRest),
	)
}

// stranger is a client that shows nothing and is told nothing: the question is
// what the other side tells.
func stranger() *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}}}
}

func status(ctx context.Context, c *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func kubeletAnonymous(ctx context.Context, _ string) profiles.Result {
	const want = "401 for the list of pods"
	have, err := status(ctx, stranger(), "https://"+kubeletAddress+"/pods")
	if err != nil {
		return check.Unreadable(err, want)
	}
	return check.Verdict(have == http.StatusUnauthorized, strconv.Itoa(have), want)
}

// readOnlyClosed: closed says something only of a kubelet that runs.
func readOnlyClosed(ctx context.Context, _ string) profiles.Result {
	want := kubeletAddress + " open, " + readOnlyAddress + " closed"
	d := new(net.Dialer)
	c, err := d.DialContext(ctx, "tcp", kubeletAddress)
	if err != nil {
		return check.Unreadable(err, want)
	}
	c.Close()
	c, err = d.DialContext(ctx, "tcp", readOnlyAddress)
	if err == nil {
		c.Close()
		return check.Verdict(false, readOnlyAddress+" open", want)
	}
	return check.Verdict(errors.Is(err, syscall.ECONNREFUSED), cluster.Cause(err), want)
}

func apiAnonymous(ctx context.Context, root string) profiles.Result {
	const want = "401 or 403"
	a, err := cluster.Connect(root, node.AdminConf(release.K3s))
	if err != nil {
		return check.Unreadable(err, want)
	}
	var have []string
	ok := true
	for _, path := range []string{"/api", "/api/v1/secrets", "/version"} {
		code, err := status(ctx, a.WithoutCredentials(), a.Server+path)
		if err != nil {
			return check.Unreadable(err, want)
		}
		have = append(have, fmt.Sprintf("%d for %s", code, path))
		ok = ok && (code == http.StatusUnauthorized || code == http.StatusForbidden)
	}
	return check.Verdict(ok, strings.Join(have, ", "), want)
}

// privileged is a pod that a namespace without labels of its own must not run.
const privileged = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"caisson-check"},"spec":{"containers":[
{"name":"check","image":"docker.io/rancher/mirrored-pause","securityContext":{"privileged":true}}]}}`

// privilegedPod asks whether that pod would be taken. dryRun=All: nothing is
// stored or started, whatever the answer.
func privilegedPod(ctx context.Context, root string) profiles.Result {
	const want = "403 by PodSecurity for a privileged pod in namespace default"
	a, err := cluster.Connect(root, node.AdminConf(release.K3s))
	if err != nil {
		return check.Unreadable(err, want)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Server+"/api/v1/namespaces/default/pods?dryRun=All", strings.NewReader(privileged))
	if err != nil {
		return check.Unreadable(err, want)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.Client.Do(req)
	if err != nil {
		return check.Unreadable(err, want)
	}
	defer resp.Body.Close()
	var answer struct {
		Message string `json:"message"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return check.Unreadable(err, want)
	}
	ok := resp.StatusCode == http.StatusForbidden && strings.Contains(answer.Message, "PodSecurity")
	return check.Verdict(ok, fmt.Sprintf("%d %s", resp.StatusCode, cluster.FirstLine(answer.Message)), want)
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// longestEvent bounds what is read of the log's end; ours log no content.
const longestEvent = 1 << 20

// auditWritten reads the last whole line of the log.
func auditWritten(_ context.Context, root string) profiles.Result {
	want := "an Event of audit.k8s.io in the last line of " + auditLog
	f, err := os.Open(filepath.Join(root, auditLog))
	if err != nil {
		return check.Unreadable(err, want)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return check.Unreadable(err, want)
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-longestEvent), longestEvent))
	if err != nil {
		return check.Unreadable(err, want)
	}
	lines := bytes.Split(raw, []byte("\n"))
	if len(lines) < 2 {
		return check.Verdict(false, "no whole line", want)
	}
	var event struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(lines[len(lines)-2], &event); err != nil {
		return check.Unreadable(err, want)
	}
	ok := strings.HasPrefix(event.APIVersion, "audit.k8s.io/") && event.Kind == "Event"
	return check.Verdict(ok, fmt.Sprintf("kind %q of %q", event.Kind, event.APIVersion), want)
}

// encryptedAtRest looks for the mark that the API server puts before what it
// encrypts, in the file of etcd or in SQLite's and its log.
func encryptedAtRest(ctx context.Context, root string) profiles.Result {
	const mark = "k8s:enc:"
	want := "an encrypting provider first, and " + mark + " in " + dataDir + "/server/db"
	if r := encryption(root); r.Status != check.Pass {
		return profiles.Result{Status: r.Status, Have: r.Have, Want: want}
	}
	var seen []string
	for _, name := range []string{"etcd/member/snap/db", "state.db", "state.db-wal"} {
		f, err := os.Open(filepath.Join(root, dataDir, "server/db", name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return check.Unreadable(err, want)
		}
		found, err := contains(ctx, f, mark)
		f.Close()
		if err != nil {
			return check.Unreadable(err, want)
		}
		if found {
			return check.Verdict(true, mark+" in "+name, want)
		}
		seen = append(seen, name)
	}
	if len(seen) == 0 {
		return check.Verdict(false, "no datastore", want)
	}
	return check.Verdict(false, "no "+mark+" in "+strings.Join(seen, ", "), want)
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
