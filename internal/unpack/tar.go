package unpack

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"caisson.dev/caisson/internal/fault"
)

const maxName = 4096

// Tar calls fn for each member of the tar stream r. hdr.Name is clean and
// relative ("usr/bin/nft"; folders too, without a slash at the end); hdr's type
// is a regular file, folder, symbolic link or hard link (whose Linkname is clean
// and relative as well). body holds a regular file's bytes and is valid during
// the call. Whatever else is in the stream ends it with ARCHIVE-HOSTILE, and a
// broken stream with the reader's own code, damaged. An error of fn ends the
// walk and is returned as it is.
func Tar(r *Reader, damaged fault.Kind, maxEntries int, fn func(hdr *tar.Header, body io.Reader) error) error {
	t := tar.NewReader(r)
	links := map[string]bool{}
	for i := 0; ; i++ {
		hdr, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case r.Err() != nil:
			return r.Err()
		case err != nil:
			return damaged.New("cannot read %s: %w", r.what, err)
		case i >= maxEntries:
			return Hostile.New("cannot unpack %s: have more than %d files, need at most %d", r.what, maxEntries, maxEntries)
		}
		skip, err := r.judge(hdr, links)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		err = fn(hdr, &body{t, r.what, damaged})
		switch {
		case r.Err() != nil:
			return r.Err() // whatever fn made of it
		case err != nil:
			return err
		}
	}
}

// judge makes the header clean or refuses it; skip is for entries that hold
// nothing (the root folder itself).
func (r *Reader) judge(hdr *tar.Header, links map[string]bool) (skip bool, err error) {
	bad := func(have, need string) error {
		return Hostile.New("cannot unpack %q of %s: have %s, need %s", hdr.Name, r.what, have, need)
	}
	name, why := clean(hdr.Name)
	if why != "" {
		return false, bad(why, "a path inside it")
	}
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
	default:
		return false, bad(fmt.Sprintf("type %q", string(hdr.Typeflag)), "a file, folder or link")
	}
	// Holes unpack to bytes that no limit counts.
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return false, bad("a file with holes", "its bytes")
		}
	}
	// A file below a link of the same archive would land where the link points.
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if links[dir] {
			return false, bad(fmt.Sprintf("the link %q in its path", dir), "a folder")
		}
	}
	hdr.Name = name
	switch hdr.Typeflag {
	case tar.TypeSymlink:
		links[name] = true
	case tar.TypeLink:
		if hdr.Linkname, why = clean(hdr.Linkname); why == "" && hdr.Linkname == "." {
			why = "its root"
		}
		if why != "" {
			return false, bad("a hard link to "+why, "one to a file inside it")
		}
	}
	if name == "." {
		if hdr.Typeflag != tar.TypeDir {
			return false, bad("a file at its root", "a folder")
		}
		return true, nil
	}
	return false, nil
}

// clean is the path without "./" and slash at the end, or what is wrong with it.
func clean(name string) (string, string) {
	switch {
	case name == "" || len(name) > maxName:
		return "", fmt.Sprintf("a name of %d bytes", len(name))
	case name[0] == '/':
		return "", "an absolute path"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", "a control character or bytes that are not UTF-8"
	}
	for e := range strings.SplitSeq(name, "/") {
		if e == ".." {
			return "", "an element .."
		}
	}
	return path.Clean(name), ""
}

// body is a member's bytes; a damaged stream is a fault whoever reads it.
type body struct {
	t       *tar.Reader
	what    string
	damaged fault.Kind
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.t.Read(p)
	if err != nil && err != io.EOF && !Hostile.Is(err) {
		err = b.damaged.New("cannot read %s: %w", b.what, err)
	}
	return n, err
}
