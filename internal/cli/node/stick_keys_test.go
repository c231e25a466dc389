package node

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadKeys: the good lines of *.pub files, and for what is passed over, why.
func TestReadKeys(t *testing.T) {
	const one = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ops@field"
	const two = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKcyqf/tVS9E1Jtdidi2j5NAUlEptWs3BX7V5MEEtQn0 ops@desk"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
		code  string
		says  string
	}{
		{"two files", map[string]string{"A.PUB": one + "\r\n", "b.pub": "# desk\n" + two + "\n" + one, "answers.yaml": two}, []string{one, two}, "", ""},
		{"one of them bad", map[string]string{"a.pub": one, "b.pub": "ssh-dss AAAA"}, []string{one}, "", ""},
		{"options", map[string]string{"a.pub": "command=\"x\" " + one}, nil, "KEYS-NONE", "a.pub: the key type"},
		{"a private key", map[string]string{"a.pub": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n"}, nil, "KEYS-NONE", "a.pub: a private key"},
		{"none", map[string]string{"id_ed25519": one, "._a.pub": one}, nil, "KEYS-NONE", ""},
	} {
		b := newBench(t)
		b.stick = t.TempDir()
		if err := os.Mkdir(filepath.Join(b.stick, "folder.pub"), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, b.stick, c.files)
		keys, where, err := newHost(t, b).ReadKeys(t.Context())
		if !slices.Equal(keys, c.want) || where != "a stick" {
			t.Errorf("%s: have %q from %q, want %q", c.name, keys, where, c.want)
		}
		if (err == nil) != (c.code == "") || err != nil && (!strings.HasPrefix(err.Error(), c.code+":") || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: have %v, want %s with %q", c.name, err, c.code, c.says)
		}
	}
	if _, _, err := newHost(t, newBench(t)).ReadKeys(t.Context()); !StickMissing.Is(err) {
		t.Errorf("have %v, want STICK-MISSING", err)
	}
}
