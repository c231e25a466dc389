//go:build e2e

package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Other people's tools look at the installed disk: sfdisk (fdisk) reads the
// table, mtools the boot partition, debugfs (e2fsprogs) the data partition.

// partition is one line of sfdisk --json, in bytes.
type partition struct {
	Name  string
	UUID  string
	Start int64
	Size  int64
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// partitions reads the table of a disk file, by partition name.
func partitions(t *testing.T, disk string) map[string]partition {
	t.Helper()
	var table struct {
		PartitionTable struct {
			SectorSize int64 `json:"sectorsize"`
			Partitions []struct {
				Name  string `json:"name"`
				UUID  string `json:"uuid"`
				Start int64  `json:"start"`
				Size  int64  `json:"size"`
			} `json:"partitions"`
		} `json:"partitiontable"`
	}
	if err := json.Unmarshal([]byte(tool(t, "sfdisk", "--json", disk)), &table); err != nil {
		t.Fatal(err)
	}
	unit := table.PartitionTable.SectorSize
	if unit == 0 {
		unit = 512 // before util-linux 2.35 it was not said
	}
	out := map[string]partition{}
	for _, p := range table.PartitionTable.Partitions {
		out[p.Name] = partition{p.Name, strings.ToLower(p.UUID), p.Start * unit, p.Size * unit}
	}
	return out
}

// onESP is mtools' name for the boot partition within a disk file.
func onESP(t *testing.T, disk string) string {
	t.Helper()
	return fmt.Sprintf("%s@@%d", disk, partitions(t, disk)["ESP"].Start)
}

// entries lists the boot loader's entries on the disk, names only.
func entries(t *testing.T, disk string) []string {
	t.Helper()
	var out []string
	for _, path := range strings.Fields(tool(t, "mdir", "-b", "-i", onESP(t, disk), "::/loader/entries")) {
		if name := path[strings.LastIndex(path, "/")+1:]; strings.HasSuffix(name, ".conf") {
			out = append(out, name)
		}
	}
	return out
}

// onState takes a file out of the data partition, by its path below /var.
func onState(t *testing.T, disk, path string) []byte {
	t.Helper()
	local := filepath.Join(t.TempDir(), filepath.Base(path))
	at := fmt.Sprintf("%s?offset=%d", disk, partitions(t, disk)["STATE"].Start)
	said := tool(t, "debugfs", "-R", "dump "+path+" "+local, at)
	b, err := os.ReadFile(local)
	if err != nil || len(b) == 0 {
		t.Errorf("have %d bytes of /var%s (%v), want some; debugfs says %s", len(b), path, err, said)
	}
	return b
}

// hardened looks at what a hardened control plane leaves on its disk: etcd holds
// Secrets as the API server encrypted them, and the audit log tells who did what.
func hardened(t *testing.T, disk string) {
	if db := onState(t, disk, "/lib/etcd/member/snap/db"); !bytes.Contains(db, []byte("k8s:enc:")) {
		t.Errorf("have no encrypted value in %d bytes of etcd's database", len(db))
	}
	first, _, _ := bytes.Cut(onState(t, disk, "/log/kubernetes/audit/audit.log"), []byte("\n"))
	var e struct{ Kind, APIVersion string }
	if err := json.Unmarshal(first, &e); err != nil || e.Kind != "Event" || e.APIVersion != "audit.k8s.io/v1" {
		t.Errorf("have %q first in the audit log (%v), want an event of audit.k8s.io/v1", first, err)
	}
}

// workloadLogs looks for the container logs of the demo's workload: the kubelet
// makes them only for a container that was pulled, made and started.
func workloadLogs(t *testing.T, disk string) {
	if inspect(t).enclave.Metadata.Name != "demo" {
		t.Skip("the medium is not the demo: its workload is not known here")
	}
	state := partitions(t, disk)["STATE"]
	// STATE is /var: journal replay is not needed, debugfs reads as it is.
	out := tool(t, "debugfs", "-R", "ls -p /log/pods", fmt.Sprintf("%s?offset=%d", disk, state.Start))
	if !strings.Contains(out, "/demo_httpbin-") {
		t.Errorf("have pods\n%s\nwant one of demo/httpbin", out)
	}
}
