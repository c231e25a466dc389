package gomod_test

import (
	"archive/zip"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/sources/gomod"
)

// proxy writes a module proxy as a folder (Go modules reference, "GOPROXY
// protocol"), with one module in the shape of Kubernetes: it takes a second one
// from a folder of its own repository, and has a GODEBUG setting.
func proxy(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed")
	}
	dir := t.TempDir()
	publish(t, dir, "example.com/big", "v1.2.3", map[string]string{
		"go.mod":               "module example.com/big\n\ngo 1.22\n\ngodebug panicnil=1\n\nrequire example.com/part v0.0.0\n\nreplace example.com/part => ./staging/part\n",
		"cmd/hello/main.go":    "package main\n\nimport \"example.com/part\"\n\nvar version = \"devel\"\n\nfunc main() { println(part.Name, version) }\n",
		"cmd/other/main.go":    "package main\n\nfunc main() { println(\"other\") }\n",
		"internal/cmd/main.go": "package main\n\nfunc main() { println(\"inside\") }\n",
		"broken/main.go":       "package main\n\nfunc main() { undefined() }\n",
	})
	publish(t, dir, "example.com/part", "v0.2.3", map[string]string{
		"go.mod":  "module example.com/part\n\ngo 1.22\n",
		"part.go": "package part\n\nconst Name = \"part\"\n",
	})
	t.Setenv("GOPROXY", "file://"+dir)
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw") // so that the test's folder can be removed; must change nothing else
	t.Cleanup(func() { _ = exec.Command("go", "clean", "-modcache").Run() })
}

func publish(t *testing.T, dir, path, version string, files map[string]string) {
	t.Helper()
	at := filepath.Join(dir, path, "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	z, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(z)
	for name, text := range files {
		f, err := w.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err = errors.Join(w.Close(), z.Close(),
		os.WriteFile(filepath.Join(at, version+".mod"), []byte(files["go.mod"]), 0o644),
		os.WriteFile(filepath.Join(at, version+".info"), fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version), 0o644),
		os.WriteFile(filepath.Join(at, "list"), []byte(version+"\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

func source(t *testing.T) gomod.Source {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return gomod.Source{Store: s}
}

func want(programs map[string]string) bundle.Want {
	return bundle.Want{Name: "image/docker.io/Big:1", Module: &bundle.ModuleWant{Path: "example.com/big", Version: "v1.2.3",
		Programs: programs, Staging: "v0.2.3", LDFlags: []string{"-X main.version=v1.2.3"}}}
}

func TestResolveAndCollect(t *testing.T) {
	proxy(t)
	s := source(t)
	w := want(map[string]string{"hello": "example.com/big/cmd/hello", "renamed": "example.com/big/cmd/other", "inside": "example.com/big/internal/cmd"})
	pin, err := s.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"module caisson.dev/payload/image-docker.io-big-1\n", "replace example.com/part => example.com/part v0.2.3\n",
		"godebug panicnil=1\n", "example.com/big v1.2.3 // indirect", "\texample.com/big/internal/cmd\n"} {
		if !strings.Contains(pin.Module.GoMod, line) {
			t.Errorf("have no line %q in go.mod:\n%s", line, pin.Module.GoMod)
		}
	}
	if !strings.Contains(pin.Module.GoSum, "example.com/part v0.2.3 h1:") || !strings.HasPrefix(pin.Module.Toolchain, "go1.") {
		t.Errorf("have go.sum %q and toolchain %q", pin.Module.GoSum, pin.Module.Toolchain)
	}
	again, err := s.Resolve(t.Context(), w)
	if diff := cmp.Diff(pin, again); diff != "" || err != nil {
		t.Errorf("a second answer differs: %v %s", err, diff)
	}
	made, err := s.Collect(t.Context(), pin, s.Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	says := map[string]string{"hello": "part v1.2.3\n", "inside": "inside\n", "renamed": "other\n"}
	if len(made) != len(says) {
		t.Fatalf("have %v, need %d programs", made, len(says))
	}
	for _, a := range made {
		name := strings.TrimPrefix(a.Name, w.Name+"/")
		if a.Mode != 0o755 || a.Source != "pkg:golang/example.com/big@v1.2.3" {
			t.Errorf("have %v", a)
		}
		file := filepath.Join(t.TempDir(), name)
		raw, err := os.ReadFile(s.Store.Path(a.Digest))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, raw, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(file).CombinedOutput(); err != nil || string(out) != says[name] {
			t.Errorf("%s says %q (%v), need %q", name, out, err, says[name])
		}
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		settings := map[string]string{}
		for _, x := range info.Settings {
			settings[x.Key] = x.Value
		}
		if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" || settings["GOARCH"] != "amd64" || settings["DefaultGODEBUG"] != "panicnil=1" {
			t.Errorf("%s was built with %v", name, settings)
		}
	}
	// The same pin again is not compiled: no line of progress, the same answer.
	memo, err := s.Collect(t.Context(), pin, s.Store, func(name string, _, _ int64) { t.Errorf("have work on %s", name) })
	if diff := cmp.Diff(made, memo); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// The same pin gives the same bytes in another folder with another cache.
func TestSamePinSameBytes(t *testing.T) {
	proxy(t)
	w := want(map[string]string{"hello": "example.com/big/cmd/hello"})
	one, two := source(t), source(t)
	pin, err := one.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	a, err := one.Collect(t.Context(), pin, one.Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-modcacherw -ldflags=-X=main.version=mine")
	t.Setenv("GOAMD64", "v3")
	b, err := two.Collect(t.Context(), pin, two.Store, nil)
	if diff := cmp.Diff(a, b); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestRefuses(t *testing.T) {
	proxy(t)
	s := source(t)
	unknown := want(map[string]string{"x": "example.com/big/none"})
	if _, err := s.Resolve(t.Context(), unknown); !gomod.ModuleUnresolved.Is(err) {
		t.Errorf("a package that is not there: have %v", err)
	}
	version := want(map[string]string{"hello": "example.com/big/cmd/hello"})
	version.Module.Version = "v9.9.9"
	if _, err := s.Resolve(t.Context(), version); !gomod.ModuleUnresolved.Is(err) {
		t.Errorf("a version that is not there: have %v", err)
	}
	version.Module.Version = "1.2"
	if _, err := s.Resolve(t.Context(), version); !gomod.ModuleUnresolved.Is(err) {
		t.Errorf("no version at all: have %v", err)
	}
	broken := want(map[string]string{"broken": "example.com/big/broken"})
	pin, err := s.Resolve(t.Context(), broken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !gomod.CompileFailed.Is(err) || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("a program that does not compile: have %v", err)
	}
	tampered := pin
	tampered.Module = &bundle.ModulePin{GoMod: pin.Module.GoMod, Toolchain: pin.Module.Toolchain, GoSum: strings.ReplaceAll(pin.Module.GoSum, "h1:", "h1:AAAA")}
	if _, err := s.Collect(t.Context(), tampered, s.Store, nil); !gomod.CompileFailed.Is(err) {
		t.Errorf("a go.sum that does not fit: have %v", err)
	}
	pin.Module.Toolchain = "go1.1"
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !gomod.GoDifferent.Is(err) {
		t.Errorf("another compiler: have %v", err)
	}
	s.Go = "no-such-go"
	if _, err := s.Resolve(t.Context(), broken); !gomod.GoMissing.Is(err) {
		t.Errorf("no compiler: have %v", err)
	}
}

// TestNoCompilerForC: programs that need cgo need a C compiler, the others not.
func TestNoCompilerForC(t *testing.T) {
	proxy(t)
	s := source(t)
	w := want(map[string]string{"hello": "example.com/big/cmd/hello"})
	w.Module.Cgo = true
	pin, err := s.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CC", "no-such-cc -m64")
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !gomod.CCMissing.Is(err) || !strings.Contains(err.Error(), `"no-such-cc"`) {
		t.Errorf("have %v, want CC-MISSING", err)
	}
}

func TestStops(t *testing.T) {
	proxy(t)
	s := source(t)
	pin, err := s.Resolve(t.Context(), want(map[string]string{"hello": "example.com/big/cmd/hello"}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Collect(ctx, pin, s.Store, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("have %v, need the stop", err)
	}
}
