//go:build e2e

package scenarios

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/qemu-tests/vm"
)

// TestSealedSecretsOpenedOnTheScreen: the medium brings the cluster's CAs, sealed.
// A person types the passphrase at the serial line; the node becomes Ready with
// these CAs, and the passphrase is nowhere in what the machine said.
func TestSealedSecretsOpenedOnTheScreen(t *testing.T) {
	said := inspect(t).manifest.Secrets
	if said == nil {
		t.Skip("the medium brings no sealed secrets: make e2e-sealed makes one that does")
	}
	raw, err := os.ReadFile(*phraseFlag)
	if err != nil {
		t.Fatal(err)
	}
	phrase := strings.TrimSpace(string(raw))
	typed["Passphrase"] = phrase
	defer delete(typed, "Passphrase")
	disk, screen := blankDisk(t, diskSize), newTerminal()
	v := boot(t, "install", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{disk}, NoReboot: true, SerialTap: screen})
	screen.attach(v)
	seen := walk(t, v, screen, overSerial, "node1", func(string) {})
	if want := []string{"welcome", "check the medium", "this machine", "role", "secrets", "review", "agree"}; !slices.Equal(seen, want) {
		t.Errorf("the way led over %q, want %q", seen, want)
	}
	installs(t, v, func() {
		if _, err := screen.until(within(t, toInstaller), ": done"); err != nil {
			t.Fatal(err)
		}
		overSerial(t, v, "", "ret")
	})
	node := healthy(t, disk)
	ready, err := node.WaitEvent(within(t, toReady), "a Ready node", vm.Named("ready"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Ready after %.1f s; CIS: %s", ready.At.Seconds(), ready.Data["cis"])
	if ready.Data["cis.fail"] != "" {
		t.Errorf("CIS failures: %s", ready.Data["cis.fail"])
	}
	for _, m := range []*vm.VM{v, node} {
		for _, name := range []string{vm.SerialLog, vm.EventLog, vm.JournalLog} {
			if b, err := os.ReadFile(filepath.Join(m.Config.Dir, name)); err == nil && strings.Contains(string(b), phrase) {
				t.Errorf("%s: %s holds the passphrase", m.Config.Name, name)
			}
		}
	}
	ctx := within(t, toShutdown)
	if err := node.PowerDown(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	state := fmt.Sprintf("%s?offset=%d", disk.Path, partitions(t, disk.Path)["STATE"].Start)
	for _, ca := range said.CAs {
		text := tool(t, "debugfs", "-R", "cat /etc/upper"+strings.TrimPrefix(ca.Path, "/etc"), state)
		_, text, _ = strings.Cut("\n"+text, "\n-----BEGIN") // debugfs says its version first
		block, _ := pem.Decode([]byte("-----BEGIN" + text))
		if block == nil || digest.Of(block.Bytes) != ca.Fingerprint {
			t.Errorf("%s on the node is another certificate than the CA %s that travelled (%s)", ca.Path, ca.Name, ca.Fingerprint)
		}
	}
}
