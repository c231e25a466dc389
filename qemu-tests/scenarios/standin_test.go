//go:build e2e

package scenarios

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/qemu-tests/vm"
)

// The scenarios of this file need a medium with stand-ins for RKE2 or K3s (make
// e2e-standin). They prove what Caisson installs: every file, unit, order, user,
// sysctl and route that the real programs would look at. RKE2 and K3s themselves
// do not run in them.

var phraseFlag = flag.String("passphrase", "", "file with the passphrase of the medium's sealed secrets, if it has any")

// Both ends of the cable between a server and its worker; the Specs of
// qemu-tests/standin/specs name the cards.
const (
	serverCard = "52:54:00:ca:16:01"
	workerCard = "52:54:00:ca:16:02"
)

// box is what the profile asks of a machine: K3s's floor to the byte, and what
// RKE2 accepts, with room for the firmware's part.
func (c contents) box() (memory, disk size.Bytes) {
	if c.product() == "k3s" {
		return 2 * size.GiB, 10 * size.GiB
	}
	return 5 * size.GiB, 48 * size.GiB
}

// standIns skips what needs stand-ins on a medium of the product.
func standIns(t *testing.T) contents {
	t.Helper()
	c := inspect(t)
	if len(c.manifest.StandIns) == 0 {
		t.Skip("the medium has no stand-ins: make e2e-standin makes one")
	}
	if !strings.Contains(c.manifest.Release, "-STAND-IN-") {
		t.Errorf("the release %s does not say STAND-IN, and %q are", c.manifest.Release, c.manifest.StandIns)
	}
	return c
}

// product is rke2 or k3s, by the medium's profile.
func (c contents) product() string {
	name, _, _ := strings.Cut(c.enclave.Kubernetes.Profile, "-")
	return name
}

// worker is the roster's first worker, "" if it has none.
func (c contents) worker() string {
	for _, n := range c.enclave.Nodes {
		if n.Role == "worker" {
			return n.Name
		}
	}
	return ""
}

// wires makes the two ends of a cable; the paths are short, as sockets' must be.
func wires(t *testing.T) (server, worker vm.Wire) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	return vm.Wire{MAC: serverCard, Own: a, Peer: b}, vm.Wire{MAC: workerCard, Own: b, Peer: a}
}

// answersOf is the second medium for a node, with the passphrase beside.
func answersOf(t *testing.T, node string) vm.Medium {
	t.Helper()
	files := map[string][]byte{vm.AnswersFile: []byte("apiVersion: caisson.dev/v1alpha1\nkind: Answers\nnode: " + node + "\nconfirm:\n  erase: any-blank\n")}
	if *phraseFlag != "" {
		text, err := os.ReadFile(*phraseFlag)
		if err != nil {
			t.Fatal(err)
		}
		files["caisson-passphrase.txt"] = text
	}
	path := filepath.Join(t.TempDir(), "answers.iso")
	if err := vm.LabelledMedium(path, files); err != nil {
		t.Fatal(err)
	}
	return vm.Medium{Path: path, Attach: vm.Optical}
}

// install runs an unattended install of a node to its end.
func install(t *testing.T, node, disk string, wire vm.Wire) vm.Disk {
	t.Helper()
	memory, room := inspect(t).box()
	d := vm.Disk{Path: disk, Size: room, Serial: diskSerial}
	v := boot(t, "install "+node, vm.Config{Media: []vm.Medium{optical(*isoFlag), answersOf(t, node)}, Disks: []vm.Disk{d}, NoReboot: true, Memory: memory, Wire: wire})
	if _, err := v.WaitEvent(within(t, toInstaller), "the installer's start", vm.Named("start")); err != nil {
		t.Fatal(err)
	}
	done, before, err := v.WaitDone(within(t, toMediaOK+toInstalled))
	if err != nil {
		t.Fatal(err)
	}
	if done.Data["result"] != "ok" {
		t.Fatalf("the install of %s failed: %v", node, codes(before))
	}
	if _, err := v.Wait(within(t, toShutdown)); err != nil {
		t.Fatal(err)
	}
	return d
}

// start boots an installed node and waits until it says that all is ready.
func start(t *testing.T, name string, d vm.Disk, wire vm.Wire) (*vm.VM, vm.Seen) {
	t.Helper()
	memory, _ := inspect(t).box()
	v := boot(t, name, vm.Config{Disks: []vm.Disk{d}, Memory: memory, Wire: wire})
	if _, err := v.WaitEvent(within(t, toHealth), "a word of the node", fromNode); err != nil {
		t.Fatal(err)
	}
	done, before, err := v.WaitDone(within(t, toReady))
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(voices(t, v)))
	}
	ready, ok := find(before, "ready")
	if !ok || done.Data["result"] != "ok" {
		t.Fatalf("have result %q and codes %v, need a ready node\n%s", done.Data["result"], codes(before), tail(voices(t, v)))
	}
	return v, ready
}

// off presses the power button.
func off(t *testing.T, v *vm.VM) {
	t.Helper()
	ctx := within(t, toShutdown)
	if err := v.PowerDown(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

// voices is what the guest has copied of its journal so far.
func voices(t *testing.T, v *vm.VM) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(v.Config.Dir, vm.JournalLog))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func tail(text string) string { return text[max(0, len(text)-4000):] }

// good holds a ready node against what its medium promised.
func good(t *testing.T, c contents, v *vm.VM, ready vm.Seen) {
	t.Helper()
	t.Logf("unit %s is %s; %s: %s", ready.Data["unit"], ready.Data["kubelet"], ready.Data["benchmark"], ready.Data["cis"])
	if !strings.HasPrefix(ready.Data["unit"], c.product()) || ready.Data["kubelet"] != "active" {
		t.Errorf("have unit %q %q, need the one of %s active", ready.Data["unit"], ready.Data["kubelet"], c.product())
	}
	if !strings.Contains(ready.Data["cis"], "pass") || ready.Data["cis.fail"] != "" {
		t.Errorf("have %q with failures %q, need every line passed or excepted", ready.Data["cis"], ready.Data["cis.fail"])
	}
	text := voices(t, v)
	if !strings.Contains(text, "stand-in "+c.product()+":") || !strings.Contains(text, "is up and running") {
		t.Errorf("the stand-in for %s did not say that it is up\n%s", c.product(), tail(text))
	}
	for line := range strings.Lines(text) {
		for _, bad := range []string{"Pulling", "found in config.yaml, skipping", "8.8.8.8", "no default routes found"} {
			if strings.Contains(line, bad) {
				t.Errorf("the journal has %q: %s", bad, line)
			}
		}
	}
}

// assessed reads the results that the node keeps beside its Record: the same
// table that caisson-node check cis prints.
func assessed(t *testing.T, disk string) {
	t.Helper()
	var a struct {
		Kind, Benchmark, Record string
		Checks                  []struct{ ID, Title, Status, Have, Want, Reason string }
	}
	raw := onState(t, disk, "/lib/caisson/record-cis.json")
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if a.Kind != "Assessment" || a.Benchmark == "" || !strings.HasPrefix(a.Record, "sha256:") || len(a.Checks) == 0 {
		t.Errorf("the assessment says %+v", a)
	}
	for _, k := range a.Checks {
		if k.Status == "fail" || k.Status == "excepted" && k.Reason == "" {
			t.Errorf("%s %s: %s, have %s, need %s", k.ID, k.Title, k.Status, k.Have, k.Want)
		}
	}
}

var standInServer once[vm.Disk]

// theServer installs the medium's server once for all tests.
func theServer(t *testing.T, c contents) vm.Disk {
	t.Helper()
	return standInServer.get(t, func() vm.Disk {
		path := filepath.Join(*outFlag, c.product()+"-server.img")
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		wire, _ := wires(t)
		return install(t, c.node, path, wire)
	})
}

// copyOf is a private copy of an installed disk.
func copyOf(t *testing.T, from vm.Disk) vm.Disk {
	t.Helper()
	d := vm.Disk{Path: filepath.Join(t.TempDir(), "disk.img"), Serial: diskSerial}
	if err := vm.CopySparse(d.Path, from.Path); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStandInServer: RKE2's control-plane, or K3s's one box, by the medium: an
// unattended install, the first start, which the power cuts off once all is ready,
// and two more.
func TestStandInServer(t *testing.T) {
	c := standIns(t)
	d := copyOf(t, theServer(t, c))
	for _, name := range []string{"first start", "after a power cut", "third start"} {
		wire, _ := wires(t)
		v, ready := start(t, name, d, wire)
		good(t, c, v, ready)
		if c.product() == "k3s" && !strings.Contains(voices(t, v), "Watchdog running with a hardware timeout") {
			t.Error("no hardware watchdog runs")
		}
		if name == "first start" {
			v.Kill()
			continue
		}
		off(t, v)
		assessed(t, d.Path)
	}
}

// TestStandInWorker: a worker installs itself and joins the server over a cable
// that nothing else is at.
func TestStandInWorker(t *testing.T) {
	c := standIns(t)
	if c.worker() == "" {
		t.Skip("the medium's roster has no worker")
	}
	atServer, atWorker := wires(t)
	server, _ := start(t, "server", copyOf(t, theServer(t, c)), atServer)
	d := install(t, c.worker(), filepath.Join(t.TempDir(), "worker.img"), atWorker)
	for _, name := range []string{"worker", "worker again"} {
		v, ready := start(t, name, d, atWorker)
		good(t, c, v, ready)
		off(t, v)
		assessed(t, d.Path)
	}
	off(t, server)
}
