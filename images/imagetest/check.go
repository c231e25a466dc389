package imagetest

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
)

// Tree shows a view for golden files: a line "path -> link" for each hard link,
// the content for each small file.
func Tree(view []images.ViewEntry) []byte {
	var b bytes.Buffer
	for _, e := range view {
		if e.Link != "" {
			fmt.Fprintf(&b, "%s -> %.12s\n", e.Path, e.Link)
			continue
		}
		fmt.Fprintf(&b, "%s\n", e.Path)
		for line := range strings.Lines(strings.TrimRight(string(e.Data), "\n") + "\n") {
			b.WriteString("    " + line)
		}
	}
	return b.Bytes()
}

// LinksOnly holds that a view takes no space to speak of: its small files are
// less than a tenth of the images, every blob is linked, and nothing else is.
func LinksOnly(t *testing.T, store Dir, view []images.ViewEntry, entries []bundle.ImageEntry) {
	t.Helper()
	blobs, _, err := images.Dedupe(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	need := map[string]bool{}
	for _, b := range blobs {
		need[b.Digest.Hex()] = true
	}
	paths := map[string]bool{}
	linked := map[string]bool{}
	var data int64
	for _, e := range view {
		data += int64(len(e.Data))
		if paths[e.Path] {
			t.Errorf("%s is there twice", e.Path)
		}
		paths[e.Path] = true
		if e.Link == "" {
			continue
		}
		linked[e.Link] = true
		if !need[e.Link] {
			t.Errorf("%s links %s, which no image needs", e.Path, e.Link)
		}
	}
	if len(linked) != len(need) {
		t.Errorf("have %d blobs linked, want %d", len(linked), len(need))
	}
	if total := images.Total(blobs); data*10 >= total {
		t.Errorf("have %d bytes of small files, want less than a tenth of %d", data, total)
	}
}

// CheckService holds what every engine owes the node: the configuration names
// the address and the root, the unit starts before containers and lets them
// start only when the port answers. systemd-analyze judges the unit.
func CheckService(t *testing.T, e images.Engine) {
	t.Helper()
	svc := e.Service()
	if svc.Engine != e.Name() || svc.Address != images.Address || svc.Root != images.Root || svc.Unit != images.Unit {
		t.Errorf("have service %+v", svc)
	}
	var unit, config string
	for _, f := range svc.Files {
		if f.Path == "/etc/systemd/system/"+svc.Unit {
			unit = string(f.Data)
		} else {
			config += string(f.Data)
		}
	}
	if !strings.Contains(config, svc.Root) || !strings.Contains(config, "127.0.0.1") || !strings.Contains(config, "5000") {
		t.Errorf("the configuration does not name %s and %s:\n%s", svc.Root, svc.Address, config)
	}
	for _, line := range []string{
		"ExecStartPost=/usr/bin/caisson-node wait-http http://" + svc.Address + "/v2/ --timeout 120s\n",
		"Before=containerd.service kubelet.service",
		"DynamicUser=yes\n", "ProtectSystem=strict\n", "IPAddressDeny=any\n", "CapabilityBoundingSet=\n",
		"WantedBy=multi-user.target\n", "/usr/local/bin/" + e.Name() + " serve ",
	} {
		if !strings.Contains(unit, line) {
			t.Errorf("the unit lacks %q", line)
		}
	}
	if strings.Contains(unit, "ExecReload") {
		t.Error("the unit has a reload; zot stops on SIGHUP")
	}
	verifyUnit(t, svc.Unit, unit)
}

// verifyUnit asks systemd, with programs that exist on any machine.
func verifyUnit(t *testing.T, name, unit string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed: the unit was not judged")
		return
	}
	var lines []string
	for line := range strings.Lines(unit) {
		if key, cmd, ok := strings.Cut(line, "="); ok && strings.HasPrefix(key, "Exec") {
			_, args, _ := strings.Cut(cmd, " ")
			line = key + "=/bin/true " + args
		}
		lines = append(lines, line)
	}
	path := filepath.Join(t.TempDir(), name)
	write(t, path, strings.Join(lines, ""))
	out, err := exec.Command(tool, "verify", "--man=no", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), name) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// NotCarried asks for an image as containerd does for hosts that the bundle
// does not hold: the answer is a plain 404.
func NotCarried(t *testing.T, addr string) {
	t.Helper()
	for _, f := range images.ContainerdHosts([]images.Mirror{images.Service{Address: addr}.Mirror()}, nil) {
		for line := range strings.Lines(string(f.Data)) {
			if url, ok := strings.CutPrefix(strings.TrimSpace(line), "server = "); ok {
				resp, err := http.Get(strings.Trim(url, `"`) + "/library/busybox/manifests/latest")
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusNotFound {
					t.Errorf("an image that is not carried: have status %d, want 404", resp.StatusCode)
				}
			}
		}
	}
}
