package size

import (
	"encoding/json"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Bytes
	}{
		{"0", 0}, {"4096", 4096}, {"4096 B", 4096}, {"1KiB", KiB}, {" 64 GiB ", 64 * GiB}, {"1.5 GiB", GiB + GiB/2}, {"2TiB", 2 * TiB}, {"0.5 KiB", 512}, {"512MiB", 512 * MiB},
	} {
		if got, err := Parse(c.in); err != nil || got != c.want {
			t.Errorf("%q: have %d, %v; want %d", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "GiB", "64 GB", "64G", "64 gib", "-1", "-1 GiB", "1.3 B", "0.0001 KiB", "NaN", "Inf GiB", "8388608 TiB", "1e400", "1 2 GiB", "64 GiB x"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("%q: have %d, want an error", in, got)
		}
	}
}

func TestString(t *testing.T) {
	for in, want := range map[Bytes]string{0: "0 B", 1023: "1023 B", KiB: "1.0 KiB", 64 * GiB: "64.0 GiB", GiB + GiB/2: "1.5 GiB", 3 * TiB: "3.0 TiB", -5: "-5 B"} {
		if got := in.String(); got != want {
			t.Errorf("%d: have %q, want %q", int64(in), got, want)
		}
	}
}

func TestAlignUp(t *testing.T) {
	for _, c := range [][3]Bytes{{0, MiB, 0}, {1, MiB, MiB}, {MiB, MiB, MiB}, {MiB + 1, MiB, 2 * MiB}} {
		if got := c[0].AlignUp(c[1]); got != c[2] {
			t.Errorf("%d to %d: have %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestText(t *testing.T) {
	var v struct{ S Bytes }
	if err := json.Unmarshal([]byte(`{"S":"1 GiB"}`), &v); err != nil || v.S != GiB {
		t.Errorf("have %d, %v", v.S, err)
	}
	if err := json.Unmarshal([]byte(`{"S":"1 GB"}`), &v); err == nil {
		t.Error("a decimal unit is accepted")
	}
}

// TestJSONComesBack: the number that a size is in JSON is the size again.
func TestJSONComesBack(t *testing.T) {
	for _, want := range []Bytes{0, 1, 512, 64*GiB + 1, 20 * TiB} {
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Bytes
		if err := json.Unmarshal(raw, &got); err != nil || got != want {
			t.Errorf("%d became %s and then %d, %v", want, raw, got, err)
		}
	}
}

// FuzzParse: what is accepted is never negative.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"64 GiB", "1.5GiB", "4096", "9007199254740993", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := Parse(s); err == nil && b < 0 {
			t.Errorf("%q is %d", s, b)
		}
	})
}
