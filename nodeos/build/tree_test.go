package build

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/nodeos/netchange"
	"caisson.dev/caisson/spec"
)

func TestOwnTree(t *testing.T) {
	tree, err := ownTree(spec.Enclave{Classification: spec.Classification{Label: "UNCLASSIFIED"}})
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]entry{}
	for i, x := range tree {
		if i > 0 && tree[i-1].path >= x.path {
			t.Errorf("%s comes after %s: not sorted", x.path, tree[i-1].path)
		}
		if parent, _, ok := cutLast(x.path); ok && !byPath[parent].dir {
			t.Errorf("%s has no entry for its folder before it", x.path)
		}
		byPath[x.path] = x
	}
	for _, b := range nodeos.Binds() {
		if x := byPath[strings.TrimPrefix(b.Path, "/")]; !x.dir || x.mode != b.Mode {
			t.Errorf("mount point %s: have %+v, want a folder of mode %o", b.Path, x, b.Mode)
		}
	}
	if b := byPath["etc/machine-id"]; b.path == "" || len(b.data) != 0 {
		t.Errorf("etc/machine-id must be there and empty: every node makes its own")
	}
	if got := string(byPath["etc/issue"].data); got != "*** UNCLASSIFIED ***\n\n" {
		t.Errorf("etc/issue = %q", got)
	}
	// A resolver or a time server in the image would be a way out.
	address := regexp.MustCompile(`(?m)^\s*(nameserver|NTP=\S|FallbackNTP=\S|DNS=\S)`)
	for _, x := range tree {
		if address.Match(x.data) {
			t.Errorf("%s names a server", x.path)
		}
		if strings.HasPrefix(string(x.data), "#!") != (x.mode&0o111 != 0 && !x.dir) {
			t.Errorf("%s: mode %o does not fit its first line", x.path, x.mode)
		}
	}
}

// TestPresetsAreWhole: a unit of ours that the presets do not name is off.
func TestPresetsAreWhole(t *testing.T) {
	raw, err := fs.ReadFile(treeFS, "tree/usr/lib/systemd/system-preset/50-caisson.preset")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if last := lines[len(lines)-1]; last != "disable *" {
		t.Errorf("the last line is %q, want disable *", last)
	}
	units, err := fs.Glob(treeFS, "tree/usr/lib/systemd/system/*.service")
	if err != nil || len(units) == 0 {
		t.Fatal(units, err)
	}
	for _, u := range units {
		_, name, _ := cutLast(u)
		if !slices.Contains(lines, "enable "+name) {
			t.Errorf("%s has no line in the presets", name)
		}
	}
}

// TestScreenHasOneOwner: on an installed node tty1 is the status console's and no
// login's, on the live system neither is started; both go by one kernel word.
func TestScreenHasOneOwner(t *testing.T) {
	word := strings.TrimSuffix(nodeos.SlotWord, "=")
	for path, lines := range map[string][]string{
		"caisson-console.service": {"ConditionKernelCommandLine=" + word, "ExecStart=" + nodeos.NodeProgram + " console", "Type=idle",
			"TTYPath=/dev/tty1", "StandardInput=tty", "Restart=always", "StartLimitIntervalSec=0", "RuntimeDirectory=caisson-console"},
		"getty@tty1.service.d/20-caisson-console.conf": {"ConditionKernelCommandLine=!" + word},
		"getty@.service.d/10-caisson.conf":             {"ConditionPathExists=" + nodeos.ConsoleLogin},
	} {
		raw, err := fs.ReadFile(treeFS, "tree/usr/lib/systemd/system/"+path)
		if err != nil {
			t.Error(err)
			continue
		}
		have := strings.Split(string(raw), "\n")
		for _, want := range lines {
			if !slices.Contains(have, want) {
				t.Errorf("%s has no line %q", path, want)
			}
		}
		// A boot that waits for Kubernetes must not wait with the screen dark.
		if strings.Contains(string(raw), "After=multi-user.target") || strings.Contains(string(raw), "caisson-ready") {
			t.Errorf("%s waits for the node to be ready", path)
		}
	}
}

// TestNetworkComesBack: the timer waits as long as the console says, and the
// service runs before networkd reads its files.
func TestNetworkComesBack(t *testing.T) {
	for path, lines := range map[string][]string{
		netchange.Service: {"ConditionPathExists=" + netchange.Dir + "/pending.json", "DefaultDependencies=no",
			"Before=network-pre.target systemd-networkd.service shutdown.target", "ExecStart=" + nodeos.NodeProgram + " network-revert", "WantedBy=multi-user.target"},
		netchange.Timer: {fmt.Sprintf("OnActiveSec=%d", int(netchange.Patience.Seconds())), "Unit=" + netchange.Service, "RemainAfterElapse=no"},
	} {
		raw, err := fs.ReadFile(treeFS, "tree/usr/lib/systemd/system/"+path)
		if err != nil {
			t.Error(err)
			continue
		}
		have := strings.Split(string(raw), "\n")
		for _, want := range lines {
			if !slices.Contains(have, want) {
				t.Errorf("%s has no line %q", path, want)
			}
		}
	}
}

func TestAccounts(t *testing.T) {
	ids := map[int]string{}
	for _, a := range accounts {
		if other, ok := ids[a.id]; ok {
			t.Errorf("%s and %s have one id %d", other, a.name, a.id)
		}
		if a.id < 100 || a.id > 999 {
			t.Errorf("%s: id %d is outside of Debian's range for system accounts", a.name, a.id)
		}
		ids[a.id] = a.name
	}
	files := accountFiles()
	for name, fields := range map[string]int{"passwd": 7, "group": 4, "shadow": 9, "gshadow": 4} {
		for line := range strings.Lines(files[name]) {
			if n := strings.Count(line, ":") + 1; n != fields {
				t.Errorf("%s: %q has %d fields, want %d", name, line, n, fields)
			}
		}
	}
	if !strings.Contains(sysusers(), "u sshd 990:65534 \"sshd user\" /run/sshd\n") {
		t.Error(sysusers())
	}
}

// TestAccountsAreNobodysName: the Spec refuses a person's account of the name of
// one that the node OS has, where useradd would fail in the middle of an install.
func TestAccountsAreNobodysName(t *testing.T) {
	for _, a := range accounts {
		if !spec.SystemName(a.name) {
			t.Errorf("a Spec may have a user %s, which is in accounts", a.name)
		}
	}
	for _, file := range []string{"passwd", "group"} {
		raw, err := os.ReadFile("/usr/share/base-passwd/" + file + ".master")
		if err != nil {
			t.Skip("base-passwd is not installed")
		}
		for line := range strings.Lines(string(raw)) {
			if name, _, _ := strings.Cut(line, ":"); !spec.SystemName(name) {
				t.Errorf("a Spec may have a user %s, which is in base-passwd's %s", name, file)
			}
		}
	}
	if spec.SystemName("ops") {
		t.Error("ops is refused, which is nobody's")
	}
}

func cutLast(p string) (dir, name string, ok bool) {
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return "", p, false
	}
	return p[:i], p[i+1:], true
}
