package kubeadm

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// networks are the ways onto a network, by the name of their golden file.
var networks = map[string]spec.NodeNetwork{
	"none":   {Interface: "none", Address: "10.20.0.11/24"},
	"static": {Interface: "eno1", Address: "10.20.0.11/24", Gateway: "10.20.0.1"},
	"dhcp":   {},
	"vlan":   {Interface: "52:54:00:12:34:56", VLAN: 42, Address: "10.20.0.11/24", Gateway: "10.20.0.1", DNS: []string{"10.20.0.53"}},
	"bond-vlan-mtu": {
		Bond: spec.Bond{Interfaces: []string{"eno1", "52-54-00-12-34-57"}, Mode: spec.BondLACP},
		VLAN: 7, MTU: 9000, Address: "10.20.0.11/24", Gateway: "10.20.0.1",
	},
	"bond-dhcp": {Bond: spec.Bond{Interfaces: []string{"eno1", "eno2"}, Mode: spec.BondActiveBackup}, MTU: 1400},
}

// networkd is what a node with that network has for systemd-networkd.
func networkd(t *testing.T, n spec.NodeNetwork) txtar.Archive {
	t.Helper()
	in := input(spec.ControlPlane)
	in.Answers.Network = n
	var a txtar.Archive
	for _, f := range render(t, in).Storage.Files {
		if strings.HasPrefix(f.Path, "/etc/systemd/network/") || strings.HasSuffix(f.Path, "/resolv.conf") {
			a.Files = append(a.Files, txtar.File{Name: f.Path, Data: content(t, f)})
		}
	}
	return a
}

func TestNetworkGolden(t *testing.T) {
	for name, n := range networks {
		t.Run(name, func(t *testing.T) {
			a := networkd(t, n)
			golden.Equal(t, "network/"+name+".txtar", txtar.Format(&a))
		})
	}
}

// TestNetworkdAccepts has systemd-networkd itself read the files, in a network
// of its own where no card is. It names each key that it does not know.
func TestNetworkdAccepts(t *testing.T) {
	for name, n := range networks {
		if says := networkdSays(t, networkd(t, n)); says != "" {
			t.Errorf("%s: %s", name, says)
		}
	}
	wrong := txtar.Archive{Files: []txtar.File{{Name: "10-wrong.network", Data: []byte("[Match]\nName=eno1\n[Link]\nMTU=9000\n")}}}
	if says := networkdSays(t, wrong); !strings.Contains(says, "10-wrong.network:4: Unknown key") {
		t.Errorf("a wrong key is not found: %q", says)
	}
}

// networkdSays is what systemd-networkd has to say of files.
func networkdSays(t *testing.T, a txtar.Archive) string {
	t.Helper()
	const program = "/usr/lib/systemd/systemd-networkd"
	if _, err := os.Stat(program); err != nil {
		t.Skip("systemd-networkd is not installed")
	}
	if exec.Command("unshare", "-n", "-m", "true").Run() != nil {
		t.Skip("no right to make a network of its own")
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Name)), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "unshare", "-n", "-m", "sh", "-ec",
		`mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/network; cp "$0"/10-* /run/systemd/network; exec `+program, dir)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_TARGET=console", "SYSTEMD_LOG_LEVEL=info")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var says []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "/run/systemd/network/") {
			says = append(says, lines.Text())
		}
		if lines.Text() == "Enumeration completed" { // every file was read before
			stop()
			_ = cmd.Wait() // it was killed
			return strings.Join(says, "\n")
		}
	}
	t.Fatalf("systemd-networkd ended early: %v, %s", cmd.Wait(), strings.Join(says, "\n"))
	return ""
}

// TestServersOfTheNode has the answers' resolvers and time servers replace the
// enclave's in every file that names them.
func TestServersOfTheNode(t *testing.T) {
	in := input(spec.Worker)
	in.Enclave.Network.DNS, in.Enclave.Time.NTP = []string{"10.20.0.2"}, nil
	in.Answers.Network = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/24", DNS: []string{"10.20.0.53"}}
	in.Answers.Time.NTP = []string{"10.20.0.123"}
	c := render(t, in)
	for path, want := range map[string]string{
		"/etc/resolv.conf": "nameserver 10.20.0.53\n", "/etc/kubernetes/resolv.conf": "nameserver 10.20.0.53\n",
		"/etc/systemd/timesyncd.conf.d/10-caisson.conf": "NTP=10.20.0.123\n",
	} {
		if got := fileOf(t, c, path); !strings.Contains(got, want) || strings.Contains(got, "10.20.0.2\n") {
			t.Errorf("%s:\n%s", path, got)
		}
	}
	for _, u := range c.Systemd.Units {
		if u.Name == "systemd-timesyncd.service" {
			return
		}
	}
	t.Error("nothing asks the time server")
}

func TestNetworkRefuses(t *testing.T) {
	two := spec.Bond{Interfaces: []string{"eno1", "eno2"}, Mode: spec.BondActiveBackup}
	for name, n := range map[string]spec.NodeNetwork{
		"VLAN":             {Interface: "eno1", VLAN: 4095},
		"VLAN of no card":  {VLAN: 42},
		"VLAN on none":     {Interface: "none", Address: "10.20.0.11/24", VLAN: 42},
		"MTU":              {MTU: 68},
		"bond beside card": {Interface: "eno1", Bond: two},
		"bond beside none": {Interface: "none", Address: "10.20.0.11/24", Bond: two},
		"bond's mode":      {Bond: spec.Bond{Interfaces: two.Interfaces, Mode: "lacp\n[Match]"}},
		"bond's card":      {Bond: spec.Bond{Interfaces: []string{"eno1", "eno*"}, Mode: two.Mode}},
		"resolver":         {DNS: []string{"ns.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(spec.Worker)
			in.Answers.Network = n
			if _, err := New().Render(in); !host.RenderIncomplete.Is(err) {
				t.Errorf("got %v, want RENDER-INCOMPLETE", err)
			}
		})
	}
}
