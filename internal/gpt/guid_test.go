package gpt

import "testing"

func TestGUIDText(t *testing.T) {
	const text = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	onDisk := GUID{0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B}
	if ESP != onDisk || ESP.String() != text {
		t.Errorf("have % X and %s", ESP[:], ESP)
	}
	if g, err := ParseGUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"); err != nil || g != ESP {
		t.Errorf("have %v, %v", g, err)
	}
	for _, bad := range []string{"", text[1:], text + "0", "{12A7328-F81F-11D2-BA4B-00A0C93EC93B", "C12A7328-F81F-11D2-BA4B-00A0C93EC93-"} {
		if g, err := ParseGUID(bad); err == nil {
			t.Errorf("%q is read as %s", bad, g)
		}
	}
}

// The ids of released media must never change: literals, on purpose.
func TestFromHash(t *testing.T) {
	if got, want := FromHash("iso", "demo").String(), "FE32CB73-C26B-8795-859F-476196C93166"; got != want {
		t.Errorf("have %s, want %s", got, want)
	}
	if FromHash("a", "bc") == FromHash("ab", "c") {
		t.Error("the parts run together")
	}
}
