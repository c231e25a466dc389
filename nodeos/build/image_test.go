package build

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/nodeos"
)

type member struct {
	name, link, body string
	kind             byte
	mode             int64
	pax              map[string]string
}

// baseTar is a tree such as mmdebstrap's, in small.
func baseTar(t *testing.T, more ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range append([]member{
		{name: "./", kind: tar.TypeDir},
		{name: "./boot/", kind: tar.TypeDir},
		{name: "./boot/vmlinuz-6.12.1-amd64", body: "kernel"},
		{name: "./boot/initrd.img", body: "initrd"},
		{name: "./boot/config-6.12.1-amd64", body: "config"},
		{name: "./etc/", kind: tar.TypeDir},
		{name: "./etc/debian_version", body: "13.7\n"},
		{name: "./etc/machine-id"},
		{name: "./etc/ssh/", kind: tar.TypeDir},
		{name: "./etc/ssh/ssh_host_rsa_key", body: "SECRET"},
		{name: "./etc/nvme/hostid", body: "SECRET"},
		{name: "./usr/", kind: tar.TypeDir},
		{name: "./usr/bin/", kind: tar.TypeDir},
		{name: "./usr/bin/ping", body: "ping", mode: 0o755, pax: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
			"SCHILY.xattr.user.note": "x"}},
		{name: "./usr/bin/fping", link: "./usr/bin/ping", kind: tar.TypeLink, mode: 0o755},
		{name: "./usr/lib/", kind: tar.TypeDir},
		{name: "./usr/lib/caisson/", kind: tar.TypeDir},
		{name: "./usr/lib/os-release", body: "ID=debian\n"},
		{name: "./usr/lib/sysimage/", kind: tar.TypeDir},
		{name: "./usr/lib/systemd/", kind: tar.TypeDir},
		{name: "./usr/lib/systemd/systemd", body: "init", mode: 0o755},
		{name: "./usr/libexec/", kind: tar.TypeDir},
		{name: "./usr/libexec/caisson/", kind: tar.TypeDir},
		{name: "./var/", kind: tar.TypeDir},
		{name: "./var/lib/", kind: tar.TypeDir},
		{name: "./var/lib/dpkg/", kind: tar.TypeDir},
		{name: "./var/lib/dpkg/status", body: "Package: x\n"},
		{name: "./var/log/", kind: tar.TypeDir},
		{name: "./var/log/dpkg.log", body: "when"},
	}, more...) {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Linkname: m.link, Mode: m.mode, Size: int64(len(m.body)),
			ModTime: time.Unix(2_000_000_000, 5), Uname: "root", PAXRecords: m.pax, Format: tar.FormatPAX}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func smallInput(t *testing.T, store *bundle.Store, base []byte) (Input, bundle.Artifact) {
	t.Helper()
	put := func(name string, b []byte) bundle.Artifact {
		d, n, err := store.Put(t.Context(), bytes.NewReader(b), "")
		if err != nil {
			t.Fatal(err)
		}
		return bundle.Artifact{Name: name, Digest: d, Size: n}
	}
	node := filepath.Join(t.TempDir(), "caisson-node")
	if err := os.WriteFile(node, []byte("node program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return Input{Ignition: put(nodeos.Ignition, []byte("ignition program")), Node: node, Epoch: 1_790_000_000,
		Extra: map[string][]byte{"/usr/lib/caisson/key.pub": []byte("key")}}, put("os/tree", base)
}

// TestSecondStage makes an image of a small tree and lets unsquashfs and
// veritysetup read it.
func TestSecondStage(t *testing.T) {
	for _, tool := range []string{"mksquashfs", "unsquashfs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " (squashfs-tools) is not installed")
		}
	}
	var images []made
	for i := range 2 {
		store, err := bundle.OpenStore(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		// What packages make up anew in every run must not reach the image's name.
		in, base := smallInput(t, store, baseTar(t, member{name: "./etc/iscsi/initiatorname.iscsi", body: fmt.Sprint("iqn.", i)}))
		m, err := makeImage(t.Context(), in, base, "sha256:base", store, func(string, int64, int64) {})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, m)
		again, err := makeImage(t.Context(), in, base, "sha256:base", store, func(string, int64, int64) { t.Error("made again what the store remembers") })
		if err != nil || again.os.Version != m.os.Version || again.os.RootHash != m.os.RootHash || again.os.HashOffset != m.os.HashOffset || again.kernel.Digest != m.kernel.Digest {
			t.Errorf("recalled %+v, want %+v (%v)", again, m, err)
		}
		checkImage(t, store, m)
	}
	if images[0].os.Image != images[1].os.Image {
		t.Errorf("two builds of one input differ: %s, %s", images[0].os.Image, images[1].os.Image)
	}
}

func checkImage(t *testing.T, store *bundle.Store, m made) {
	t.Helper()
	path := store.Path(m.os.Image)
	out, err := exec.Command("unsquashfs", "-lln", "-UTC", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		if f[3]+" "+f[4] != "2026-09-21 14:13" {
			t.Errorf("time of %s is not the epoch", line)
		}
		names = append(names, strings.TrimPrefix(f[5], "squashfs-root"))
	}
	for _, want := range []string{"/usr/bin/caisson-node", nodeos.IgnitionPath, "/usr/lib/caisson/key.pub", "/boot", "/dev", "/proc", "/run", "/sys", "/etc/machine-id",
		"/usr/lib/sysimage/dpkg/status", "/var/lib/dpkg", "/usr/bin/fping"} {
		if !slices.Contains(names, want) {
			t.Errorf("the image lacks %s", want)
		}
	}
	for _, n := range names {
		if strings.Contains(n, "ssh_host") || strings.Contains(n, "hostid") || strings.HasSuffix(n, ".log") || strings.HasPrefix(n, "/boot/") {
			t.Errorf("the image must not hold %s", n)
		}
	}
	release, err := exec.Command("unsquashfs", "-cat", path, "usr/lib/os-release").Output()
	if err != nil || !strings.Contains(string(release), "ID=debian\nVARIANT=") || !strings.Contains(string(release), "IMAGE_VERSION="+m.os.Version+"\n") {
		t.Errorf("os-release: %q (%v), want IMAGE_VERSION %s", release, err, m.os.Version)
	}
	if !strings.HasPrefix(m.os.Version, "13.7-20260921141320.") || m.os.Size%blockSize != 0 || m.os.HashOffset%blockSize != 0 {
		t.Errorf("image: %+v", m.os)
	}
	if m.kernel.Size != int64(len("kernel")) || m.initrd.Size != int64(len("initrd")) {
		t.Errorf("kernel %+v, initrd %+v", m.kernel, m.initrd)
	}
}

func TestSecondStageRefuses(t *testing.T) {
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		t.Skip("mksquashfs (squashfs-tools) is not installed")
	}
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	whole := baseTar(t)
	for name, b := range map[string][]byte{"no kernel": without(t, whole, "./boot/vmlinuz-6.12.1-amd64"), "cut short": whole[:len(whole)/2]} {
		in, base := smallInput(t, store, b)
		if _, err := makeImage(t.Context(), in, base, "sha256:base", store, func(string, int64, int64) {}); err == nil {
			t.Errorf("%s: made an image", name)
		} else if name == "no kernel" && !incomplete.Is(err) {
			t.Errorf("%s: %v, want OS-BASE-INCOMPLETE", name, err)
		}
	}
}

func without(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	r, w := tar.NewReader(bytes.NewReader(archive)), tar.NewWriter(&b)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == name {
			continue
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
