package canon

import (
	"testing"
)

type sample struct {
	B string            `json:"b"`
	A int               `json:"a"`
	M map[string]string `json:"m,omitempty"`
}

// TestFormIsFixed pins bytes and digest: were either to change, every signature
// and Lock in the field would be void.
func TestFormIsFixed(t *testing.T) {
	v := sample{B: "<a> & \u00e9", A: 1, M: map[string]string{"z": "1", "a": "2"}}
	const want = "{\n  \"b\": \"<a> & \u00e9\",\n  \"a\": 1,\n  \"m\": {\n    \"a\": \"2\",\n    \"z\": \"1\"\n  }\n}\n"
	got, err := JSON(v)
	if err != nil || string(got) != want {
		t.Errorf("have %q, %v\nwant %q", got, err, want)
	}
	d, err := Digest(v)
	if err != nil || d != "sha256:4fd49c215875b7240a638d30a9cffd054bbcee11b6aaa74352b98c37f96d516b" {
		t.Errorf("have %s, %v", d, err)
	}
	var back sample
	if err := Decode(got, &back); err != nil || back.B != v.B || back.M["z"] != "1" {
		t.Errorf("have %+v, %v", back, err)
	}
}

func TestWhatHasNoForm(t *testing.T) {
	if b, err := JSON(make(chan int)); err == nil {
		t.Errorf("have %q", b)
	}
	if d, err := Digest(func() {}); err == nil || d != "" {
		t.Errorf("have %q, %v", d, err)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	for what, in := range map[string]string{
		"an unknown field": `{"b":"x","c":1}`, "a second value": `{"b":"x"}{}`, "text after it": `{"b":"x"} x`, "half a value": `{"b":`, "nothing": ``, "another type": `{"a":"x"}`,
	} {
		var v sample
		if err := Decode([]byte(in), &v); err == nil {
			t.Errorf("%s: accepted as %+v", what, v)
		}
	}
	var v sample
	if err := Decode([]byte(" {\"b\":\"x\"} \n"), &v); err != nil {
		t.Errorf("space around the value: %v", err)
	}
}

// FuzzDecode: what is decoded has one form, and that form decodes to itself.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"b":"x","a":3,"m":{"k":"v"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v, again sample
		if Decode(raw, &v) != nil {
			return
		}
		one, err := JSON(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := Decode(one, &again); err != nil {
			t.Fatalf("%v in %s", err, one)
		}
		two, err := JSON(again)
		if err != nil || string(one) != string(two) {
			t.Fatalf("%s\nis not\n%s", one, two)
		}
	})
}
