package iso9660

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode/utf8"
)

// identifier is the ISO 9660 name of one path element. It depends on the name
// alone, never on its siblings: adding a file renames no other. Simple
// lower-case names become upper case; all others get 8 characters to recognise
// them by and 16 hex digits of their hash.
func identifier(name string, dir bool) string {
	stem, ext, _ := strings.Cut(name, ".")
	if simple(stem, 26) && (!dir && simple(ext, 3) || ext == "") && !strings.HasSuffix(name, ".") {
		stem, ext = strings.ToUpper(stem), strings.ToUpper(ext)
	} else {
		sum := sha256.Sum256([]byte(name))
		stem = strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return r - 'a' + 'A'
			case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
				return r
			}
			return '_'
		}, name)
		stem, ext = stem[:min(8, len(stem))]+"_"+strings.ToUpper(hex.EncodeToString(sum[:8])), ""
	}
	if dir {
		return stem
	}
	return stem + "." + ext + ";1"
}

func simple(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') {
			return false
		}
	}
	return true
}

// checkPath accepts clean, relative, printable UTF-8 paths.
func checkPath(p string) error {
	if p == "" || p == "." || path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(p, "../") || p == ".." {
		return BadEntry.New("cannot lay out file %q: have that path, need a clean one relative to the medium's root", p)
	}
	parts := strings.Split(p, "/")
	if len(parts) > depthMax {
		return BadEntry.New("cannot lay out file %q: have %d levels, need %d or fewer", p, len(parts), depthMax)
	}
	for _, name := range parts {
		if len(name) > nameMax {
			return BadEntry.New("cannot lay out file %q: have a name of %d bytes, need %d or fewer", p, len(name), nameMax)
		}
		if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			return BadEntry.New("cannot lay out file %q: have a name with control characters or broken UTF-8, need printable UTF-8", p)
		}
	}
	return nil
}

// checkLabel accepts the d-characters of ECMA-119 section 7.4.1: what every
// system shows unchanged and udev makes /dev/disk/by-label names of.
func checkLabel(s string) error {
	if s == "" || len(s) > 32 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return BadEntry.New("cannot label the medium %q: have %d characters, need 1 to 32 of A-Z, 0-9 and _", s, len(s))
	}
	return nil
}
