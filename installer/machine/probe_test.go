package machine

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/spec"
)

// tree reads a recorded machine. A file's name may end in what its content
// stands for: (link), (hex), (zero), (gpt) or (iso LABEL).
func tree(t *testing.T, name string) recorded {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, f := range txtar.Parse(raw).Files {
		name, form, _ := strings.Cut(f.Name, " (")
		form, arg, _ := strings.Cut(strings.TrimSuffix(form, ")"), " ")
		file := &fstest.MapFile{Data: f.Data, Mode: 0o644}
		switch form {
		case "link":
			file.Data, file.Mode = []byte(strings.TrimSpace(string(f.Data))), fs.ModeSymlink|0o777
		case "hex":
			if file.Data, err = hex.DecodeString(strings.TrimSpace(string(f.Data))); err != nil {
				t.Fatal(err)
			}
		case "zero":
			file.Data = make([]byte, 4096)
		case "gpt":
			file.Data = append(make([]byte, 512), "EFI PART"...)
		case "iso":
			file.Data = make([]byte, 40000)
			copy(file.Data[32769:], "CD001")
			copy(file.Data[32808:], arg+strings.Repeat(" ", 32-len(arg)))
		}
		out[name] = file
	}
	return recorded{out}
}

// recorded is a tree in which a disk reads as zero beyond what was recorded.
type recorded struct{ fstest.MapFS }

func (r recorded) Open(name string) (fs.File, error) {
	f, err := r.MapFS.Open(name)
	if entry, ok := r.MapFS[name]; err == nil && ok && entry.Mode.IsRegular() && path.Dir(name) == "dev" {
		return disk{f, entry.Data}, nil
	}
	return f, err
}

type disk struct {
	fs.File
	data []byte
}

func (d disk) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(d.data)) {
		copy(p, d.data[off:])
	}
	return len(p), nil
}

func TestProbe(t *testing.T) {
	for _, name := range []string{"qemu-virtio", "rugged-nvme"} {
		m, err := Probe(tree(t, name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := canon.JSON(m)
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name+".json", b)
	}
}

func TestProbeNeedsASystem(t *testing.T) {
	if _, err := Probe(fstest.MapFS{"proc/meminfo": {}}); !ProbeFailed.Is(err) {
		t.Errorf("without /sys: %v", err)
	}
}

func TestStablePath(t *testing.T) {
	for _, c := range []struct {
		disk Disk
		want string
	}{
		{Disk{Name: "sda", IDs: []string{"ata-WDC_1", "wwn-0x5"}}, "/dev/disk/by-id/ata-WDC_1"},
		{Disk{Name: "nvme0n1", IDs: []string{"nvme-Acme_1", "nvme-eui.00"}}, "/dev/disk/by-id/nvme-Acme_1"},
		{Disk{Name: "sda", IDs: []string{"wwn-0x5"}, Paths: []string{"pci-1"}}, "/dev/disk/by-id/wwn-0x5"},
		{Disk{Name: "vda", Paths: []string{"pci-1", "virtio-pci-1"}}, "/dev/disk/by-path/pci-1"},
		{Disk{Name: "vda"}, "/dev/vda"},
	} {
		if got := c.disk.StablePath(); got != c.want {
			t.Errorf("StablePath of %+v = %s, want %s", c.disk, got, c.want)
		}
	}
}

func TestIdentityFindsTheRosterEntry(t *testing.T) {
	m, err := Probe(tree(t, "rugged-nvme.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	e := spec.Enclave{Nodes: []spec.Node{
		{Name: "a", Match: spec.Match{MAC: "02:00:5e:10:00:99"}},
		{Name: "b", Match: spec.Match{MAC: "02-00-5E-10-00-02", Serial: "AR-77"}},
	}}
	n, ok, err := spec.FindNode(e, m.Identity())
	if err != nil || !ok || n.Name != "b" {
		t.Errorf("FindNode = %q, %v, %v", n.Name, ok, err)
	}
}
