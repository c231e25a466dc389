package deb_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"caisson.dev/caisson/internal/deb"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/judge"
	"caisson.dev/caisson/internal/unpack"
)

type entry struct {
	name, link string
	kind       byte
	text       string
}

// pack makes a package around data.tar in one compression.
func pack(t testing.TB, compression string, entries ...entry) []byte {
	t.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		err := w.WriteHeader(&tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: 0o755, Size: int64(len(e.text)), Format: tar.FormatGNU})
		if err == nil {
			_, err = w.Write([]byte(e.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	var z io.WriteCloser
	var err error
	switch compression {
	case "":
		return ar("data.tar", plain.Bytes())
	case ".gz":
		z = gzip.NewWriter(&packed)
	case ".xz":
		z, err = xz.NewWriter(&packed)
	case ".zst":
		z, err = zstd.NewWriter(&packed)
	}
	if err == nil {
		_, err = z.Write(plain.Bytes())
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return ar("data.tar"+compression, packed.Bytes())
}

func ar(name string, data []byte) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.xz", []byte("odd")}, {name, data}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o100644, len(m.data))
		b.Write(m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// list is the package's tree, one readable line for each member.
func list(r io.Reader) ([]string, error) {
	var lines []string
	err := deb.Walk(r, func(hdr *tar.Header, r io.Reader) error {
		text, err := io.ReadAll(r)
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%c %04o %s %s%s", hdr.Typeflag, hdr.Mode&0o7777, hdr.Name, hdr.Linkname, text)))
		return err
	})
	return lines, err
}

func TestWalk(t *testing.T) {
	entries := []entry{{name: "./", kind: tar.TypeDir}, {name: "./usr/", kind: tar.TypeDir}, {name: "./usr/bin/nft", text: "program"},
		{name: "./usr/sbin", link: "bin", kind: tar.TypeSymlink}, {name: "./usr/bin/nft2", link: "./usr/bin/nft", kind: tar.TypeLink},
		{name: `./lib/systemd\x2dx.slice`, text: "unit"}}
	want := []string{"5 0755 usr", "0 0755 usr/bin/nft program", "2 0755 usr/sbin bin", "1 0755 usr/bin/nft2 usr/bin/nft", `0 0755 lib/systemd\x2dx.slice unit`}
	for _, compression := range []string{"", ".gz", ".xz", ".zst"} {
		have, err := list(bytes.NewReader(pack(t, compression, entries...)))
		if diff := cmp.Diff(want, have); diff != "" || err != nil {
			t.Errorf("data.tar%s: %v %s", compression, err, diff)
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	good := pack(t, ".xz", entry{name: "./x", text: strings.Repeat("x", 100_000)})
	tests := []struct {
		summary string
		in      []byte
		code    fault.Kind
	}{
		{"nothing", nil, deb.Damaged},
		{"no package", []byte("PK\x03\x04 and so on"), deb.Damaged},
		{"cut off", good[:len(good)/2], deb.Damaged},
		{"no data.tar", ar("other", nil), deb.Damaged},
		{"an unknown compression", ar("data.tar.lzma", []byte("x")), deb.Damaged},
		{"another format version", bytes.Replace(good, []byte("2.0\n"), []byte("9.0\n"), 1), deb.Damaged},
		{"upwards", pack(t, "", entry{name: "./usr/../../etc/passwd", text: "x"}), unpack.Hostile},
		{"absolute", pack(t, "", entry{name: "/etc/passwd", text: "x"}), unpack.Hostile},
		{"a device", pack(t, "", entry{name: "./dev/sda", kind: tar.TypeBlock}), unpack.Hostile},
		{"a pipe", pack(t, "", entry{name: "./run/p", kind: tar.TypeFifo}), unpack.Hostile},
		{"a line break", pack(t, "", entry{name: "./a\nb", text: "x"}), unpack.Hostile},
		{"below a link", pack(t, "", entry{name: "./a", link: "/etc", kind: tar.TypeSymlink}, entry{name: "./a/passwd", text: "x"}), unpack.Hostile},
		{"a hard link upwards", pack(t, "", entry{name: "./a", link: "../../etc/shadow", kind: tar.TypeLink}), unpack.Hostile},
		{"a file as root", pack(t, "", entry{name: "./", kind: tar.TypeSymlink, link: "/"}), unpack.Hostile},
	}
	for _, tt := range tests {
		if lines, err := list(bytes.NewReader(tt.in)); !tt.code.Is(err) {
			t.Errorf("%s: have %v and %q, need %s", tt.summary, err, lines, tt.code.Code)
		}
	}
}

// A small package that unpacks to far more than it holds is refused before all
// of it came out, whether its files are read or not.
func TestWalkRefusesBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", int(unpack.Floor)+1<<20)
	for _, compression := range []string{".gz", ".xz", ".zst"} {
		bomb := pack(t, compression, entry{name: "./x", text: zeros})
		if len(bomb) > 1<<20 {
			t.Fatalf("have a bomb of %d bytes, need a small one", len(bomb))
		}
		for summary, fn := range map[string]func(*tar.Header, io.Reader) error{
			"read":    func(_ *tar.Header, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err },
			"skipped": func(*tar.Header, io.Reader) error { return nil },
			"wrapped": func(_ *tar.Header, r io.Reader) error {
				if _, err := io.Copy(io.Discard, r); err != nil {
					return errors.New("my own words")
				}
				return nil
			},
		} {
			if err := deb.Walk(bytes.NewReader(bomb), fn); !unpack.Hostile.Is(err) || !strings.Contains(err.Error(), "more than 64.0 MiB") {
				t.Errorf("data.tar%s, %s: have %v, need ARCHIVE-HOSTILE", compression, summary, err)
			}
		}
	}
	if _, err := list(bytes.NewReader(pack(t, ".gz", entry{name: "./x", text: zeros[:10<<20]}))); err != nil {
		t.Errorf("10 MiB of zeros: %v", err)
	}
}

// Holes would come out as zeros that are in no stream.
func TestWalkRefusesHoles(t *testing.T) {
	var b bytes.Buffer
	// The form 0.1 of GNU tar: a map of nothing but a hole of 1 TiB.
	record := func(k, v string) string {
		n := len(k) + len(v) + 3
		for len(fmt.Sprint(n))+len(k)+len(v)+3 != n {
			n++
		}
		return fmt.Sprintf("%d %s=%s\n", n, k, v)
	}
	pax := record("GNU.sparse.major", "0") + record("GNU.sparse.minor", "1") + record("GNU.sparse.size", "1099511627776") +
		record("GNU.sparse.numblocks", "1") + record("GNU.sparse.map", "1099511627776,0")
	// archive/tar writes no extended header as such: take a file's and change its type.
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "pax", Size: int64(len(pax)), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	h := b.Bytes()
	h[156] = 'x'
	sum := 8 * int(' ') // the checksum counts itself as spaces
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	b.WriteString(pax + strings.Repeat("\x00", 512-len(pax)))
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "./x", Typeflag: tar.TypeReg, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 1024))
	err := deb.Walk(bytes.NewReader(ar("data.tar", b.Bytes())), func(_ *tar.Header, r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, 1<<20)
		return err
	})
	if !unpack.Hostile.Is(err) || !strings.Contains(err.Error(), "holes") {
		t.Errorf("have %v, need ARCHIVE-HOSTILE for the holes", err)
	}
}

func TestWalkGivesTheCallersError(t *testing.T) {
	stop := errors.New("enough")
	err := deb.Walk(bytes.NewReader(pack(t, ".gz", entry{name: "./x", text: "x"})), func(*tar.Header, io.Reader) error { return stop })
	if err != stop {
		t.Errorf("have %v, need the callback's own error", err)
	}
}

// dpkg-deb is the judge: it builds packages that we read, and reads the same.
func TestAgainstDpkg(t *testing.T) {
	dpkg := judge.Need(t, "dpkg-deb", "dpkg")
	dir := t.TempDir()
	for name, text := range map[string]string{"DEBIAN/control": "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: d\n",
		"usr/bin/x": "#!/bin/sh\n", "usr/share/doc/x/" + strings.Repeat("long", 60): "text"} {
		path := filepath.Join(dir, "root", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("x", filepath.Join(dir, "root/usr/bin/y")); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"xz", "gzip", "zstd", "none"} {
		file := filepath.Join(dir, compression+".deb")
		if out, err := exec.Command(dpkg, "--root-owner-group", "-Z"+compression, "-b", filepath.Join(dir, "root"), file).CombinedOutput(); err != nil {
			t.Logf("this dpkg-deb cannot write %s: %s", compression, out)
			continue
		}
		out, err := exec.Command(dpkg, "--fsys-tarfile", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for r := tar.NewReader(bytes.NewReader(out)); ; {
			hdr, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if name := strings.Trim(strings.TrimPrefix(hdr.Name, "."), "/"); name != "" {
				want = append(want, name)
			}
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		err = deb.Walk(f, func(hdr *tar.Header, _ io.Reader) error { have = append(have, hdr.Name); return nil })
		_ = f.Close()
		slices.Sort(want)
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" || err != nil {
			t.Errorf("%s: %v %s", compression, err, diff)
		}
	}
}

func FuzzWalk(f *testing.F) {
	for _, c := range []string{"", ".gz", ".xz", ".zst"} {
		f.Add(pack(f, c, entry{name: "./usr/", kind: tar.TypeDir}, entry{name: "./usr/x", text: "text"}))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = deb.Walk(bytes.NewReader(raw), func(hdr *tar.Header, r io.Reader) error {
			if strings.HasPrefix(hdr.Name, "/") || slices.Contains(strings.Split(hdr.Name, "/"), "..") {
				t.Fatalf("have name %q let through", hdr.Name)
			}
			_, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			return err
		})
	})
}
