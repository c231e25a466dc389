//go:build e2e

package scenarios

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/qemu-tests/vm"
)

// upper is where STATE keeps what was written to /etc, an overlay.
const upper = "/etc/upper"

// TestStandInMutations takes one thing off an installed node's disk: a file, a
// sysctl, a user, a key. Kubernetes does not come up, and the journal says which
// it was. Many more are tried without a machine (qemu-tests/standin/node).
func TestStandInMutations(t *testing.T) {
	c := standIns(t)
	memory, _ := c.box()
	conf := upper + "/rancher/" + c.product()
	for _, m := range []struct {
		what, product string // of which product; both, if it is empty
		path          string
		change        func(old []byte) []byte // nil: the file goes
		words         string
	}{
		{"a file", "", conf + "/registries.yaml", nil, `(have|cannot) .*registries\.yaml`},
		{"a sysctl", "", upper + "/sysctl.d/90-kubernetes.conf", lines(`^vm\.overcommit_memory`), `(have|invalid) .*vm\.overcommit_memory`},
		{"a user", "rke2", upper + "/passwd", lines("^etcd:"), `(have|missing) .*etcd`},
		{"a key", "", conf + "/config.yaml", lines("^disable-default-registry-endpoint:"), "(have|would) .*(disable-default-registry-endpoint|docker\\.io)"},
	} {
		if m.product != "" && m.product != c.product() {
			continue
		}
		t.Run(m.what, func(t *testing.T) {
			d := copyOf(t, theServer(t, c))
			onDisk(t, d.Path, m.path, m.change)
			wire, _ := wires(t)
			v := boot(t, "without "+m.what, vm.Config{Disks: []vm.Disk{d}, Memory: memory, Wire: wire})
			words := regexp.MustCompile(m.words)
			for end := within(t, toHealth+toReady); !words.MatchString(voices(t, v)); time.Sleep(time.Second) {
				if end.Err() != nil {
					t.Fatalf("the journal has no %q\n%s", m.words, tail(voices(t, v)))
				}
			}
			t.Logf("the journal: %s", words.FindString(voices(t, v)))
			v.Kill()
			for _, e := range v.Events.All() {
				if e.Name == "ready" {
					t.Errorf("a node without %s says that it is ready", m.what)
				}
			}
		})
	}
}

// lines takes the lines away that a pattern finds.
func lines(pattern string) func([]byte) []byte {
	gone := regexp.MustCompile(pattern)
	return func(old []byte) []byte {
		var out []byte
		for line := range bytes.Lines(old) {
			if !gone.Match(line) {
				out = append(out, line...)
			}
		}
		return out
	}
}

// onDisk changes a file of a disk's STATE, or removes it; its mode stays.
func onDisk(t *testing.T, disk, path string, change func(old []byte) []byte) {
	t.Helper()
	old := onState(t, disk, path)
	if len(old) == 0 {
		t.Fatalf("%s is not on the disk", path)
	}
	state := fmt.Sprintf("%s?offset=%d", disk, partitions(t, disk)["STATE"].Start)
	mode := regexp.MustCompile(`Mode:\s+0(\d+)`).FindStringSubmatch(tool(t, "debugfs", "-R", "stat "+path, state))
	if mode == nil {
		t.Fatalf("debugfs says no mode of %s", path)
	}
	script := fmt.Sprintf("cd %s\nrm %s\n", filepath.Dir(path), filepath.Base(path))
	if change != nil {
		changed := change(old)
		if bytes.Equal(changed, old) {
			t.Fatalf("%s is as it was", path)
		}
		script += fmt.Sprintf("write %s %s\nsif %[2]s mode 0100%s\n", file(t, "changed", changed), filepath.Base(path), strings.TrimPrefix(mode[1], "0"))
	}
	if said := tool(t, "debugfs", "-w", "-f", file(t, "script", []byte(script)), state); strings.Contains(said, "File not found") {
		t.Fatal(said)
	}
}

// file is a file of the test's own.
func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
