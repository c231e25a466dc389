package digest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// The example "abc" of FIPS 180-4 (NIST's SHA-256 example values).
const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func TestSameBytesSameName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile, size, err := File(path)
	if err != nil || size != 3 {
		t.Fatal(size, err)
	}
	fromReader, n, err := Reader(iotest.OneByteReader(strings.NewReader("abc")))
	if err != nil || n != 3 {
		t.Fatal(n, err)
	}
	h := New()
	h.Write([]byte("abc"))
	fromHex, err := FromHex(strings.ToUpper(abc[7:]))
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]Digest{"Of": Of([]byte("abc")), "File": fromFile, "Reader": fromReader, "FromSum": FromSum(h.Sum(nil)), "FromHex": fromHex} {
		if got != abc {
			t.Errorf("%s: have %s, want %s", what, got, abc)
		}
	}
	if d := Digest(abc); d.Hex() != abc[7:] || d.Short() != "ba7816bf8f01" || Digest("").Short() != "" {
		t.Errorf("hex %s, short %s", d.Hex(), d.Short())
	}
}

func TestOtherFormsAreRefused(t *testing.T) {
	for _, s := range []string{"", abc[7:], "sha512:" + abc[7:], abc[:70], abc + "0", strings.ToUpper(abc), "sha256:" + strings.ToUpper(abc[7:]),
		strings.Replace(abc, "b", "g", 1), " " + abc, abc + "\n"} {
		if d, err := Parse(s); err == nil || d != "" {
			t.Errorf("%q: have %q, %v", s, d, err)
		}
	}
	var v struct{ D Digest }
	if err := json.Unmarshal([]byte(`{"D":"sha256:1"}`), &v); err == nil {
		t.Error("JSON with half a digest is accepted")
	}
	if err := json.Unmarshal([]byte(`{"D":""}`), &v); err != nil || v.D != "" {
		t.Errorf("no digest: %v", err)
	}
}

func TestReadErrorsGiveNoDigest(t *testing.T) {
	d, _, err := Reader(iotest.ErrReader(errors.New("pulled")))
	if err == nil || d != "" {
		t.Errorf("have %q, %v", d, err)
	}
	if _, _, err := File(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a digest of no file")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(abc))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(string(b))
		if err == nil && (!bytes.Equal([]byte(d), b) || len(d.Hex()) != 64) {
			t.Errorf("%q became %q", b, d)
		}
	})
}
