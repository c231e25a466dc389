package images_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
)

// debFile is one entry of a test package.
type debFile struct {
	name, link, data string
	kind             byte
	mode             int64
}

// debOf makes a Debian package (deb(5)) of the files, uncompressed.
func debOf(t *testing.T, files []debFile) []byte {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, f := range files {
		hdr := &tar.Header{Name: "./" + f.name, Typeflag: f.kind, Linkname: f.link, Mode: f.mode, Size: int64(len(f.data)), Uname: "root", Gid: 42}
		if err := w.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var ar bytes.Buffer
	ar.WriteString("!<arch>\n")
	for _, m := range []struct{ name, body string }{{"debian-binary", "2.0\n"}, {"control.tar", ""}, {"data.tar", data.String()}} {
		fmt.Fprintf(&ar, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", m.name, 0, 0, 0, 0o100644, len(m.body), m.body)
		if len(m.body)%2 == 1 {
			ar.WriteByte('\n')
		}
	}
	return ar.Bytes()
}

func put(t *testing.T, s *bundle.Store, name string, raw []byte) bundle.Artifact {
	t.Helper()
	d, n, err := s.Put(context.Background(), bytes.NewReader(raw), "")
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Artifact{Name: name, Digest: d, Size: n}
}

func newStore(t *testing.T) (*bundle.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := bundle.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// inputs is a program, and two packages as Debian's are: one with old paths.
func inputs(t *testing.T, s *bundle.Store) images.Inputs {
	t.Helper()
	const reg, dir, sym, hard = tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink
	libc := debOf(t, []debFile{
		{name: "lib/", kind: dir, mode: 0o755},
		{name: "lib/x86_64-linux-gnu/", kind: dir, mode: 0o755},
		{name: "lib/x86_64-linux-gnu/libc.so.6", kind: reg, mode: 0o755, data: "libc"},
		{name: "usr/lib64/", kind: dir, mode: 0o755},
		{name: "usr/lib64/ld-linux-x86-64.so.2", kind: sym, link: "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"},
		{name: "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", kind: reg, mode: 0o755, data: "ld.so"},
		{name: "usr/share/doc/libc6/copyright", kind: reg, mode: 0o644, data: "text"},
		{name: "usr/share/man/man7/libc.7.gz", kind: reg, mode: 0o644, data: "text"},
		{name: "usr/share/documents", kind: reg, mode: 0o644, data: "kept"},
	})
	nft := debOf(t, []debFile{
		{name: "bin", kind: sym, link: "usr/bin"},
		{name: "tmp/", kind: dir, mode: 0o1777},
		{name: "usr/sbin/nft", kind: reg, mode: 0o4755, data: "nft"},
		{name: "usr/sbin/anft", kind: hard, link: "./usr/sbin/nft"},
		{name: "etc/nftables.conf", kind: reg, mode: 0o755, data: "flush ruleset"},
		{name: "usr/share/locale/de/x.mo", kind: reg, mode: 0o644, data: "text"},
	})
	return images.Inputs{
		Artifacts: map[string]bundle.Artifact{"kubernetes/kube-proxy": put(t, s, "kubernetes/kube-proxy", bytes.Repeat([]byte("program "), 10_000))},
		Packages:  map[string][]bundle.Artifact{"nft": {put(t, s, "nft/nftables", nft), put(t, s, "nft/libc6", libc)}},
	}
}
