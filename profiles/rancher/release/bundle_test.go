package release_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/unpack"
	"caisson.dev/caisson/profiles/rancher/release"
)

// whole is what the vendor's bundle has, folders and a file of its own too.
func whole() []tar.Header {
	var out []tar.Header
	for _, dir := range []string{"bin", "lib", "lib/systemd", "lib/systemd/system", "share", "share/rke2"} {
		out = append(out, tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755})
	}
	for _, m := range release.Members() {
		out = append(out, tar.Header{Name: m.Name, Typeflag: tar.TypeReg, Mode: 0o6777, Size: int64(len(m.Name))})
	}
	return append(out, tar.Header{Name: "share/rke2/later.txt", Typeflag: tar.TypeReg, Size: 20})
}

// pack writes a bundle; each file holds its own name, again and again.
func pack(t *testing.T, members []tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, hdr := range members {
		err := w.WriteHeader(&hdr)
		if err == nil && hdr.Size > 0 {
			_, err = w.Write(bytes.Repeat([]byte(hdr.Name), int(hdr.Size)/len(hdr.Name)+1)[:hdr.Size])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpack(t *testing.T) {
	var have []string
	err := release.Unpack(bytes.NewReader(pack(t, whole())), func(m release.Member, n int64, body io.Reader) error {
		text, err := io.ReadAll(body)
		if err != nil || string(text) != m.Name || n != int64(len(text)) {
			t.Errorf("%s: have %q, %d bytes, %v", m.Name, text, n, err)
		}
		have = append(have, fmt.Sprintf("%04o %s", m.Mode, m.Path()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The vendor's modes do not count: no file of ours is writable by others or setuid.
	want := []string{
		"0755 /usr/local/bin/rke2", "0755 /usr/local/bin/rke2-killall.sh", "0755 /usr/local/bin/rke2-uninstall.sh",
		"0644 /usr/local/lib/systemd/system/rke2-agent.env", "0644 /etc/systemd/system/rke2-agent.service",
		"0644 /usr/local/lib/systemd/system/rke2-server.env", "0644 /etc/systemd/system/rke2-server.service",
		"0644 /usr/local/share/rke2/LICENSE.txt", "0644 /usr/local/share/rke2/rke2-cis-sysctl.conf",
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func TestUnpackEndsWithItsCaller(t *testing.T) {
	stop := errors.New("disk full")
	n := 0
	err := release.Unpack(bytes.NewReader(pack(t, whole())), func(release.Member, int64, io.Reader) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("have %v after %d calls, need the caller's error after 1", err, n)
	}
}

func TestUnpackRefuses(t *testing.T) {
	with := func(more ...tar.Header) []byte { return pack(t, append(whole(), more...)) }
	without := func(name string, instead ...tar.Header) []byte {
		var out []tar.Header
		for _, hdr := range whole() {
			if hdr.Name != name {
				out = append(out, hdr)
			}
		}
		return pack(t, append(instead, out...))
	}
	good := with()
	bomb := tar.Header{Name: "x", Typeflag: tar.TypeReg, Size: 80 << 20}
	for _, c := range []struct {
		what string
		raw  []byte
		code fault.Kind
		says string
	}{
		{"nothing", nil, release.BundleDamaged, "gzip"},
		{"no gzip", []byte("<html>not found</html>"), release.BundleDamaged, "gzip"},
		{"no tar", gz(t, "<html>not found</html>"), release.BundleDamaged, "RKE2's bundle"},
		{"an empty archive", pack(t, nil), release.BundleDamaged, "have nothing for bin/rke2, bin/rke2-killall.sh"},
		{"no program", without("bin/rke2"), release.BundleDamaged, "have nothing for bin/rke2, need"},
		{"an empty program", without("bin/rke2", tar.Header{Name: "bin/rke2", Typeflag: tar.TypeReg}), release.BundleDamaged, "have nothing for bin/rke2, need"},
		{"no sysctl file", without("share/rke2/rke2-cis-sysctl.conf"), release.BundleDamaged, "rke2-cis-sysctl.conf"},
		{"a cut archive", good[:len(good)/2], release.BundleDamaged, "unexpected EOF"},
		{"a cut end", good[:len(good)-4], release.BundleDamaged, "to its end"},
		{"a changed checksum", append(bytes.Clone(good[:len(good)-8]), 1, 2, 3, 4, good[len(good)-4], good[len(good)-3], good[len(good)-2], good[len(good)-1]), release.BundleDamaged, "to its end"},
		{"something behind it", append(bytes.Clone(good), "more"...), release.BundleDamaged, "to its end"},
		{"an absolute path", with(tar.Header{Name: "/etc/passwd", Typeflag: tar.TypeReg, Size: 1}), unpack.Hostile, "absolute path"},
		{"a path upwards", with(tar.Header{Name: "bin/../../etc/passwd", Typeflag: tar.TypeReg, Size: 1}), unpack.Hostile, "an element .."},
		{"a device", with(tar.Header{Name: "bin/sda", Typeflag: tar.TypeBlock}), unpack.Hostile, "need a file, folder or link"},
		{"a pipe", with(tar.Header{Name: "bin/p", Typeflag: tar.TypeFifo}), unpack.Hostile, "need a file, folder or link"},
		{"a hard link upwards", with(tar.Header{Name: "bin/x", Typeflag: tar.TypeLink, Linkname: "../etc/shadow"}), unpack.Hostile, "hard link"},
		{"a hard link to its root", with(tar.Header{Name: "bin/x", Typeflag: tar.TypeLink, Linkname: "."}), unpack.Hostile, "a hard link to its root"},
		{"a link in place of the program", without("bin/rke2", tar.Header{Name: "bin/rke2", Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"}), unpack.Hostile, "have a link, need a file"},
		{"the program below a link", without("bin/rke2", tar.Header{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "/bin"}), unpack.Hostile, `the link "bin" in its path`},
		{"the program a second time", with(tar.Header{Name: "./bin/rke2", Typeflag: tar.TypeReg, Size: 1}), unpack.Hostile, "a second time"},
		{"a line break", with(tar.Header{Name: "bin/a\nb", Typeflag: tar.TypeReg, Size: 1}), unpack.Hostile, "control character"},
		{"a bomb", with(bomb), unpack.Hostile, "more than 64.0 MiB"},
		{"a bomb behind it", append(bytes.Clone(good), gz(t, strings.Repeat("\x00", 80<<20))...), unpack.Hostile, "more than 64.0 MiB"},
		{"too many files", with(many(1000)...), unpack.Hostile, "more than 1000 files"},
	} {
		t.Run(c.what, func(t *testing.T) {
			err := release.Unpack(bytes.NewReader(c.raw), func(_ release.Member, _ int64, body io.Reader) error {
				_, err := io.Copy(io.Discard, body)
				return err
			})
			if all := fault.All(err); len(all) != 1 || all[0].Code != c.code.Code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v, need %s with %q", err, c.code.Code, c.says)
			}
		})
	}
}

func many(n int) []tar.Header {
	var out []tar.Header
	for i := range n {
		out = append(out, tar.Header{Name: fmt.Sprintf("share/%d", i), Typeflag: tar.TypeReg})
	}
	return out
}

func gz(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzUnpack: whatever comes in, nothing but a member that is laid down comes
// out, and never more of it than its size.
func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "bin/rke2", Typeflag: tar.TypeReg, Size: 2})
	_, _ = w.Write([]byte("hi"))
	_ = w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		known := map[string]bool{}
		for _, m := range release.Members() {
			known[m.Path()] = true
		}
		err := release.Unpack(bytes.NewReader(gz(t, string(raw))), func(m release.Member, size int64, body io.Reader) error {
			n, err := io.Copy(io.Discard, body)
			if !known[m.Path()] || n > size || err == nil && n != size {
				t.Errorf("have %d bytes of %d for %s, %v", n, size, m.Path(), err)
			}
			return err
		})
		if err != nil && len(fault.All(err)) == 0 {
			t.Errorf("have %v, need a fault", err)
		}
	})
}
