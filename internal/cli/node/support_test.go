package node

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"caisson.dev/caisson/installer/machine"
)

// TestSupportBundle: it reads as tar, says what the machine is, and holds no
// answers, which can hold password hashes.
func TestSupportBundle(t *testing.T) {
	b := newBench(t)
	b.cmdline = "caisson.live caisson.answers=base64:c2VjcmV0 quiet"
	r := &run{env: b, root: t.TempDir()}
	var archive bytes.Buffer
	if err := writeSupport(&archive, supportParts(context.Background(), r, machine.Machine{Product: "Field 9"}, "demo-1"), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&archive)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "caisson-support/")] = string(text)
	}
	if have, want := files["cmdline.txt"], "caisson.live caisson.answers=(not shown) quiet\n"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
	if !strings.Contains(files["machine.json"], `"Field 9"`) || files["medium.txt"] != "demo-1\n" {
		t.Errorf("have %v", files)
	}
	for _, name := range []string{"journal.txt", "kernel.txt", "blocks.txt", "network.txt"} {
		if files[name] == "" {
			t.Errorf("%s is empty: not even the reason is there", name)
		}
	}
	for name, text := range files {
		if strings.Contains(text, "c2VjcmV0") {
			t.Errorf("%s holds the answers", name)
		}
	}
}

func TestPartitionsOf(t *testing.T) {
	block := fstest.MapFS{"sda/sda1/partition": {}, "sda/sda2/partition": {}, "sda/queue/x": {}, "sdb/size": {}}
	if have := partitionsOf(block, "sda"); !slices.Equal(have, []string{"sda1", "sda2"}) {
		t.Errorf("have %v", have)
	}
	if have := partitionsOf(block, "sdb"); have != nil {
		t.Errorf("have %v, want none", have)
	}
}

func TestHoldsMount(t *testing.T) {
	const mounts = "/dev/sda4 /var ext4 rw 0 0\n/dev/nvme0n1p1 /efi vfat rw 0 0\n/dev/mapper/root / squashfs ro 0 0\n/dev/sdc /mnt vfat rw 0 0\n"
	for disk, want := range map[string]bool{"sda": true, "nvme0n1": true, "sdc": true, "sdb": false, "sd": false, "nvme0n2": false, "mapper": false} {
		if have := holdsMount(mounts, disk); have != want {
			t.Errorf("%s: have %v, want %v", disk, have, want)
		}
	}
}
