package archtest

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needs is what a program asks of the system that runs it: its interpreter and
// its shared libraries. A static program needs nothing.
func needs(t *testing.T, path string) []string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer f.Close()
	out, err := f.ImportedLibraries() // DT_NEEDED
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		out = append(out, "an interpreter")
	}
	return out
}

// says is the program's answer to `version`.
func says(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command(path, "version").Output()
	if err != nil {
		t.Fatalf("%s version: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// TestBuildIsStaticAndStamped compiles the program that goes onto the node just
// as make build does. The node's C library is not the build machine's: it must
// need none, and say which build it is.
func TestBuildIsStaticAndStamped(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed: its recipe cannot be asked for")
	}
	// go test remembers a result until a file changes that the test looked at.
	if _, err := os.Stat(filepath.Join(root, "Makefile")); err != nil {
		t.Fatal(err)
	}
	show := exec.Command("make", "-n", "--no-print-directory", "build", "VERSION=v9.8.7-test")
	show.Dir = root
	show.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { // of a make that runs this test
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=")
	})
	out, err := show.Output()
	if err != nil {
		t.Fatal(err)
	}
	recipe := strings.TrimSpace(string(out))
	program := filepath.Join(t.TempDir(), "caisson-node")
	here, ok := strings.CutSuffix(recipe, "-o bin/ ./cmd/...")
	if !ok || strings.Contains(recipe, "\n") {
		t.Fatalf("make build is %q, want one line that ends with -o bin/ ./cmd/...", recipe)
	}
	compile := exec.Command("bash", "-c", here+"-o "+program+" ./cmd/caisson-node")
	compile.Dir = root
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if have := needs(t, program); len(have) > 0 {
		t.Errorf("caisson-node needs %v, want a static program", have)
	}
	if have, want := says(t, program), "caisson-node v9.8.7-test"; have != want {
		t.Errorf("it says %q, want %q", have, want)
	}
}

// TestBinIsStaticAndStamped holds the programs that make build left in bin/.
func TestBinIsStaticAndStamped(t *testing.T) {
	bin, err := filepath.Abs(filepath.Join(root, "bin"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(bin)
	if err != nil {
		t.Skip("there is no bin/: make build makes it")
	}
	for _, e := range entries {
		path := filepath.Join(bin, e.Name())
		if have := needs(t, path); len(have) > 0 {
			t.Errorf("bin/%s needs %v, want a static program", e.Name(), have)
		}
		if e.Name() == "caisson-pause" { // takes no arguments
			continue
		}
		if v, ok := strings.CutPrefix(says(t, path), e.Name()+" "); !ok || v == "" || v == "devel" {
			t.Errorf("bin/%s says version %q, want the stamp of its build", e.Name(), v)
		}
	}
}

// TestNeedsFindsLibraries proves the check on a program that is not static.
func TestNeedsFindsLibraries(t *testing.T) {
	if have := needs(t, "/bin/sh"); !slices.Contains(have, "an interpreter") || !slices.Contains(have, "libc.so.6") {
		t.Errorf("/bin/sh needs %v, want an interpreter and libc.so.6", have)
	}
}
