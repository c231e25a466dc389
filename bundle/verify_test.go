package bundle_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// A Verified is what the image code reads from.
var _ images.Reader = (*bundle.Verified)(nil)
var _ images.Reader = (*bundle.Store)(nil)

// medium is a small right medium: a boot file, a blob and the Spec.
func medium(t testing.TB) (fstest.MapFS, bundle.Manifest) {
	t.Helper()
	blob := strings.Repeat("payload", 300_000) // over one piece of the reader
	m := bundle.Manifest{APIVersion: spec.APIVersion, Kind: "Manifest", Enclave: "demo", Release: "demo-0123456789ab"}
	fsys := fstest.MapFS{}
	add := func(path, kind, text string) digest.Digest {
		d := digest.Of([]byte(text))
		if path == "" {
			path = bundle.BlobDir + "/" + d.Hex()
		}
		fsys[path] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
		m.Files = append(m.Files, bundle.File{Path: path, Size: int64(len(text)), Digest: d, Kind: kind})
		return d
	}
	add("boot/vmlinuz", "boot", "kernel")
	d := add("", "payload", blob)
	add("caisson/caisson.yaml", "meta", "kind: Enclave\n")
	add("boot/empty", "boot", "")
	m.Payload = []bundle.Payload{{Path: "/usr/local/bin/kubelet", Name: "kubernetes/kubelet", Mode: 0o755, Digest: d, Size: int64(len(blob))}}
	seal(t, fsys, m)
	return fsys, m
}

func seal(t testing.TB, fsys fstest.MapFS, m bundle.Manifest) {
	t.Helper()
	raw, err := canon.JSON(m)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range bundle.SealManifest(raw) {
		fsys[path] = &fstest.MapFile{Data: b, Mode: 0o444}
	}
}

func TestVerify(t *testing.T) {
	fsys, m := medium(t)
	var last, total int64
	var order []string
	v, err := bundle.Verify(t.Context(), fsys, func(d, n int64, file string) {
		if d < last {
			t.Errorf("have progress %d after %d", d, last)
		}
		last, total = d, n
		if file != "" && (len(order) == 0 || order[len(order)-1] != file) {
			order = append(order, file)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != total || total == 0 {
		t.Errorf("have %d of %d bytes at the end", last, total)
	}
	var want []string
	for _, f := range m.Files {
		want = append(want, f.Path)
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("files were not read in the manifest's order: %s", diff)
	}
	d := m.Payload[0].Digest
	if n, err := v.Size(d); err != nil || n != m.Payload[0].Size {
		t.Errorf("have %d: %v", n, err)
	}
	if have := read(t, v, d); digest.Of([]byte(have)) != d {
		t.Error("have other bytes from Open")
	}
	r, err := v.OpenPath("boot/vmlinuz")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "kernel" {
		t.Errorf("have %q: %v", b, err)
	}
	if _, err := v.OpenPath("boot/other"); !bundle.MediaMissingFile.Is(err) {
		t.Errorf("have %v for a file that nobody verified", err)
	}
	if v.Digest() != digest.Of(fsys[bundle.ManifestPath].Data) {
		t.Error("have a digest that is not the manifest's")
	}
}

// What was right when it was checked may not be later: the readers look again.
func TestVerifiedReadersLookAgain(t *testing.T) {
	for _, now := range []string{"kernem", "kerne", "kernel+"} {
		fsys, _ := medium(t)
		v, err := bundle.Verify(t.Context(), fsys, nil)
		if err != nil {
			t.Fatal(err)
		}
		fsys["boot/vmlinuz"].Data = []byte(now)
		r, err := v.OpenPath("boot/vmlinuz")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !bundle.MediaDamaged.Is(err) {
			t.Errorf("%q: have %v, need MEDIA-DAMAGED", now, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	tests := []struct {
		summary string
		change  func(fstest.MapFS)
		code    fault.Kind
		says    string
	}{
		{"no manifest", func(f fstest.MapFS) { delete(f, bundle.ManifestPath) }, bundle.MediaForeign, "no caisson/manifest.json"},
		{"one bit", func(f fstest.MapFS) { f["boot/vmlinuz"].Data[2] ^= 1 }, bundle.MediaDamaged, "boot/vmlinuz: have sha256:"},
		{"cut off", func(f fstest.MapFS) { f["boot/vmlinuz"].Data = []byte("kern") }, bundle.MediaDamaged, "have 4 bytes, need 6 bytes"},
		{"a file too many", func(f fstest.MapFS) { f["boot.catalog"] = &fstest.MapFile{} }, bundle.MediaExtraFile, "boot.catalog"},
		{"a file too few", func(f fstest.MapFS) { delete(f, "boot/vmlinuz") }, bundle.MediaMissingFile, "vmlinuz (in boot)"},
		{"a device", func(f fstest.MapFS) { f["boot/vmlinuz"].Mode = fs.ModeDevice }, bundle.MediaExtraFile, "have a device"},
		{"a manifest of nothing", func(f fstest.MapFS) { f[bundle.ManifestPath].Data = []byte("{}") }, bundle.ManifestDamaged, "need"},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			fsys, _ := medium(t)
			tt.change(fsys)
			v, err := bundle.Verify(t.Context(), fsys, nil)
			if v != nil || !tt.code.Is(err) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("have %v, need %s with %q", err, tt.code.Code, tt.says)
			}
			if fault.ExitStatus(err) != int(fault.Media) {
				t.Errorf("have exit status %d, need %d", fault.ExitStatus(err), fault.Media)
			}
		})
	}
}

func TestVerifyTellsAllDamage(t *testing.T) {
	fsys, m := medium(t)
	fsys["boot/vmlinuz"].Data[0] ^= 1
	fsys[m.Files[1].Path].Data[2_000_000] ^= 1
	_, err := bundle.Verify(t.Context(), fsys, nil)
	if n := len(fault.All(err)); n != 2 {
		t.Errorf("have %d faults, need 2: %v", n, err)
	}
}

// broken gives a read error at an offset of one file, as a worn stick does.
type broken struct {
	fs.FS
	path string
	err  error
}

func (b broken) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if name == b.path && err == nil {
		return brokenFile{f, b.err}, nil
	}
	return f, err
}

type brokenFile struct {
	fs.File
	err error
}

func (f brokenFile) Read([]byte) (int, error) { return 0, f.err }

func TestVerifyReadError(t *testing.T) {
	fsys, _ := medium(t)
	eio := errors.New("input/output error")
	_, err := bundle.Verify(t.Context(), broken{fsys, "boot/vmlinuz", eio}, nil)
	if !bundle.MediaDamaged.Is(err) || !errors.Is(err, eio) {
		t.Errorf("have %v, need MEDIA-DAMAGED that wraps the read error", err)
	}
}

func TestVerifyStops(t *testing.T) {
	fsys, _ := medium(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := bundle.Verify(ctx, fsys, func(int64, int64, string) { cancel() })
	if !bundle.Interrupted.Is(err) {
		t.Errorf("have %v, need INTERRUPTED", err)
	}
}

// Links on a medium are not followed, wherever they lead.
func TestVerifyRefusesLinks(t *testing.T) {
	fsys, _ := medium(t)
	dir := t.TempDir()
	for path, f := range fsys {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, full, string(f.Data))
	}
	if _, err := bundle.Verify(t.Context(), os.DirFS(dir), nil); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "boot/elsewhere"), "kernel")
	_ = os.Remove(filepath.Join(dir, "boot/vmlinuz"))
	if err := os.Symlink("elsewhere", filepath.Join(dir, "boot/vmlinuz")); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Verify(t.Context(), os.DirFS(dir), nil); !bundle.MediaExtraFile.Is(err) {
		t.Errorf("have %v, need MEDIA-EXTRA-FILE", err)
	}
}
