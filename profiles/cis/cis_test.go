package cis

import (
	"os"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/profiles/host"
)

func TestFilesAndKernel(t *testing.T) {
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"etc/a.key": 0o600, "etc/b.key": 0o640, "etc/sub/c.key": 0o600, "proc/sys/vm/panic_on_oom": 0o644} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("0\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		test         Test
		status, have string
	}{
		"one good file":      {Mode(0o600, "/etc/a.key"), Pass, "/etc/a.key"},
		"one bad of two":     {Mode(0o600, "/etc/*.key"), Fail, "/etc/b.key is 0640"},
		"a folder and below": {Mode(0o755, "/etc/sub/**"), Pass, "/etc/sub, /etc/sub/c.key"},
		"none":               {Mode(0o600, "/etc/x"), Fail, "/etc/x is not there"},
		"none, and it may":   {Mode(0o600, "/etc/x?"), NotApplicable, "no such file"},
		"the kernel":         {Kernel(host.Sysctl{Name: "vm.panic_on_oom", Value: "0"}), Pass, "vm.panic_on_oom = 0"},
		"another value":      {Kernel(host.Sysctl{Name: "vm.panic_on_oom", Value: "1"}), Fail, "vm.panic_on_oom = 0"},
		"no such setting":    {Kernel(host.Sysctl{Name: "vm.x", Value: "1"}), Fail, "vm.x is not there"},
	} {
		if r := c.test(root); r.Status != c.status || r.Have != c.have || r.Want == "" {
			t.Errorf("%s: %+v, want %s %q", what, r, c.status, c.have)
		}
	}
}
