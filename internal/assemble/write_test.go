package assemble

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/iso"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/iso/isotest"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

func quiet(string, int64, int64) {}

// small is a sealed medium whose boot pieces do not boot, and the Store that
// holds its bytes.
func small(t testing.TB) (*Sealed, *bundle.Store) {
	t.Helper()
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) bundle.Artifact {
		d, n, err := store.Put(t.Context(), bytes.NewReader(b), "")
		if err != nil {
			t.Fatal(err)
		}
		return bundle.Artifact{Digest: d, Size: n}
	}
	rescue, err := isotest.Rescue(iso.MenuModules, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sealed{serial: "ttyS1,9600", live: map[string]bundle.Artifact{nodeos.GRUBRescue: put(rescue), nodeos.GRUBHybrid: put(isotest.Hybrid()),
		nodeos.Kernel: put([]byte("kernel")), nodeos.Initrd: put([]byte("initrd"))}}
	for _, key := range []string{nodeos.Shim, nodeos.GRUB, nodeos.MokManager} {
		s.live[key] = put(isotest.Program(key, isotest.X8664, 8))
	}
	system, kubelet := put(bytes.Repeat([]byte("system"), 1<<16)), put([]byte("kubelet"))
	s.blobs = []blob{
		{system.Digest, system.Size, "os", []string{"node OS 13"}, "debian-13, 2 packages"},
		{kubelet.Digest, kubelet.Size, "payload", []string{"kubernetes/kubelet", "again"}, "pkg:golang/k8s.io/kubernetes@v1.37.2"},
	}
	s.meta = map[string][]byte{bundle.SpecPath: []byte("kind: Enclave\n"), bundle.LockPath: []byte("{}\n")}
	s.Manifest = bundle.Manifest{APIVersion: spec.APIVersion, Kind: "Manifest", Enclave: "demo", Release: "demo-0123456789ab", Epoch: 1793000000,
		Spec: digest.Of(s.meta[bundle.SpecPath]), Lock: digest.Of(s.meta[bundle.LockPath]),
		OS:      bundle.OSImage{Version: "13", Image: system.Digest, Size: system.Size},
		Payload: []bundle.Payload{{Path: "/usr/local/bin/kubelet", Name: "kubernetes/kubelet", Mode: 0o755, Digest: kubelet.Digest, Size: kubelet.Size}}}
	return s, store
}

// TestWrite reads the medium back as a site does.
func TestWrite(t *testing.T) {
	s, store := small(t)
	path := filepath.Join(t.TempDir(), "new", "demo.iso")
	done, err := s.Write(t.Context(), store, path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	medium, err := iso9660.Open(f, done.Size)
	if err != nil {
		t.Fatal(err)
	}
	v, err := bundle.Verify(t.Context(), medium, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := v.Manifest()
	if medium.Label() != "CAISSON_01234567" || v.Digest() != done.Manifest || len(m.Files)+2 != done.Files || m.Release != done.Release {
		t.Errorf("have label %s, manifest %s of %d files, want those of %+v", medium.Label(), v.Digest(), len(m.Files), done)
	}
	kinds := map[string]int{}
	for _, file := range m.Files {
		kinds[file.Kind]++
		if file.Kind == "payload" && (file.Name != "kubernetes/kubelet, again" || file.Source != "pkg:golang/k8s.io/kubernetes@v1.37.2") {
			t.Errorf("have payload %+v, want its names and source", file)
		}
	}
	if kinds["os"] != 1 || kinds["payload"] != 1 || kinds["meta"] != 2 || kinds["boot"] < 10 {
		t.Errorf("have kinds %v", kinds)
	}
	order := medium.Files()
	if last := order[len(order)-2:]; !slices.Equal(last, []string{bundle.ManifestPath, bundle.SumPath}) {
		t.Errorf("have %q last on the medium, want the manifest and its checksum", last)
	}
	menu, err := fs.ReadFile(medium, iso.ConfigPath)
	if err != nil || !strings.Contains(string(menu), "root=live:CDLABEL=CAISSON_01234567") || !strings.Contains(string(menu), m.OS.Image.Hex()) ||
		!strings.Contains(string(menu), "console=ttyS1,9600") || !strings.Contains(string(menu), "--unit=1 --speed=9600") {
		t.Errorf("the menu does not name label, system and serial console (%v):\n%s", err, menu)
	}
	again, err := s.Write(t.Context(), store, filepath.Join(filepath.Dir(path), "again.iso"), quiet)
	if err != nil || again.Manifest != done.Manifest {
		t.Errorf("have %+v, %v the second time, want the same", again, err)
	}
	first, _, err1 := digest.File(path)
	second, _, err2 := digest.File(again.Path)
	if err := errors.Join(err1, err2); err != nil || first != second {
		t.Errorf("have %s and %s (%v), want one digest", first, second, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		edit func(*Sealed)
		code string
	}{
		{"payload that is not on board", t.Context(), func(s *Sealed) { s.blobs = s.blobs[:1] }, "MANIFEST-INCOMPLETE"},
		{"boot loader that is none", t.Context(), func(s *Sealed) { s.live[nodeos.Shim] = s.live[nodeos.Kernel] }, "BOOT-PIECE"},
		{"bytes that are not the digest's", t.Context(), func(s *Sealed) { s.blobs[0].size--; s.Manifest.OS.Size-- }, "ISO-SOURCE-CHANGED"},
		{"stopped", ended, func(*Sealed) {}, ""},
	} {
		s, store := small(t)
		tt.edit(s)
		dir := t.TempDir()
		_, err := s.Write(tt.ctx, store, filepath.Join(dir, "x.iso"), quiet)
		all := fault.All(err)
		switch {
		case tt.code == "":
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: have %v, want the end of the context", tt.name, err)
			}
		case len(all) == 0 || all[0].Code != tt.code:
			t.Errorf("%s: have %v, want %s", tt.name, err, tt.code)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s: have %v left, want nothing", tt.name, left)
		}
	}
}

func TestFullDiskSaysHowMuchIsNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.iso")
	for _, number := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		err := outputFault(&fs.PathError{Op: "write", Path: path, Err: number}, path, 3<<30)
		if !bundle.DiskFull.Is(err) || !strings.Contains(err.Error(), "free, need 3.0 GiB") || !strings.Contains(err.Error(), "hint: ") {
			t.Errorf("%v: have %v, want %s with both values", number, err, bundle.DiskFull.Code)
		}
	}
	if err := outputFault(syscall.ENOSPC, "/no/such/folder/x.iso", 1); !bundle.DiskFull.Is(err) || !strings.Contains(err.Error(), "an unknown amount free") {
		t.Errorf("have %v", err)
	}
	if err := outputFault(syscall.EIO, path, 1); err != syscall.EIO {
		t.Errorf("have %v, want another error as it is", err)
	}
}
