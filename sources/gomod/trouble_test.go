package gomod_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/sources/gomod"
)

// patient counts the pauses between tries and makes none.
func patient(s *gomod.Source) *int {
	pauses := new(int)
	s.Fetch = &fetch.Client{Tries: 3, Wait: func(ctx context.Context, _ int, _ time.Duration) error { *pauses++; return ctx.Err() }}
	return pauses
}

// fake is a go command that does what script says for each of its commands, and
// answers "env" as the real one.
func fake(t *testing.T, script string) string {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Skip("go is not installed")
	}
	path := filepath.Join(t.TempDir(), "go")
	text := fmt.Sprintf("#!/bin/sh\ncase \"$1 $2\" in\n\"env -json\") exec %s \"$@\" ;;\n%s\nesac\n", real, script)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Trouble of a module proxy that passes costs time; other answers end at once.
func TestProxyInTrouble(t *testing.T) {
	proxy(t)
	files := http.FileServer(http.Dir(strings.TrimPrefix(os.Getenv("GOPROXY"), "file://")))
	always := func(code int) func(http.ResponseWriter, int) bool {
		return func(w http.ResponseWriter, _ int) bool { w.WriteHeader(code); return true }
	}
	tests := []struct {
		summary  string
		fail     func(w http.ResponseWriter, n int) bool // n: how often this path was asked for, from 1
		min, max int                                     // pauses
		code     *fault.Kind
		says     []string
	}{
		{"well", func(http.ResponseWriter, int) bool { return false }, 0, 0, nil, nil},
		{"unavailable once", func(w http.ResponseWriter, n int) bool {
			if n == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return n == 1
		}, 1, 20, nil, nil},
		{"cut off once", func(_ http.ResponseWriter, n int) bool {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			return false
		}, 1, 20, nil, nil},
		{"never well", always(http.StatusBadGateway), 2, 2, &gomod.ModuleUnresolved, []string{"3 tries in a row failed", "502 Bad Gateway"}},
		{"not there", always(http.StatusNotFound), 0, 0, &gomod.ModuleUnresolved, []string{"404 Not Found"}},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			var mu sync.Mutex
			asked := map[string]int{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked[r.URL.Path]++
				n := asked[r.URL.Path]
				mu.Unlock()
				if !tt.fail(w, n) {
					files.ServeHTTP(w, r)
				}
			}))
			t.Cleanup(srv.Close)
			t.Setenv("GOPROXY", srv.URL)
			t.Setenv("GOMODCACHE", t.TempDir())
			t.Cleanup(func() { _ = exec.Command("go", "clean", "-modcache").Run() })
			s := source(t)
			pauses := patient(&s)
			if tt.code == nil {
				s.Fetch.Tries = 10 // the go command meets one failing path after another
			}
			pin, err := s.Resolve(t.Context(), want(map[string]string{"hello": "example.com/big/cmd/hello"}))
			if tt.code == nil && err == nil {
				_, err = s.Collect(t.Context(), pin, s.Store, nil)
			}
			if tt.code == nil && err != nil || tt.code != nil && !tt.code.Is(err) || *pauses < tt.min || *pauses > tt.max {
				t.Errorf("have %v after %d pauses, need %d to %d", err, *pauses, tt.min, tt.max)
			}
			for _, words := range tt.says {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("have no %q in %v", words, err)
				}
			}
		})
	}
}

// A go command that hangs is ended and run again, whichever one it is.
func TestHangs(t *testing.T) {
	mod := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(mod, []byte("module example.com/big\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	hang, answer := "exec sleep 60 ;;", fmt.Sprintf(`echo '{"GoMod": %q}' ;;`, mod)
	for summary, script := range map[string]string{
		"at the module's go.mod":  `"mod download") ` + hang,
		"at all that is required": `"mod download") ` + answer + "\n" + `"mod tidy") ` + hang,
	} {
		t.Run(summary, func(t *testing.T) {
			s := source(t)
			s.Go, s.Limit = fake(t, script), 200*time.Millisecond
			pauses := patient(&s)
			_, err := s.Resolve(t.Context(), want(map[string]string{"hello": "example.com/big/cmd/hello"}))
			if !gomod.ModuleUnresolved.Is(err) || !strings.Contains(err.Error(), "3 tries in a row failed: no end after 200ms") || *pauses != 2 {
				t.Errorf("have %v after %d pauses, need MODULE-UNRESOLVED after 2", err, *pauses)
			}
		})
	}
}

// pinned is a pin for tests in which nothing real is compiled.
func pinned(t *testing.T) bundle.Pin {
	t.Helper()
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Pin{Want: want(map[string]string{"hello": "example.com/big/cmd/hello"}),
		Module: &bundle.ModulePin{Toolchain: strings.Fields(string(out))[0], GoMod: "module x\n"}}
}

func TestFullDisk(t *testing.T) {
	const full = "echo '# k8s.io/api/core/v1' >&2; echo 'compile: writing output: write /tmp/go-build/b1/_pkg_.a: no space left on device' >&2; exit 1 ;;"
	tests := []struct {
		summary, script string
		resolve         bool
	}{
		{"while compiling", `"build -v") ` + full, false},
		{"while fetching what is compiled", `"list -deps") ` + full, false},
		{"while resolving", `"mod download") ` + full, true},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			s := source(t)
			s.Go = fake(t, tt.script)
			pauses := patient(&s)
			var err error
			if pin := pinned(t); tt.resolve {
				_, err = s.Resolve(t.Context(), pin.Want)
			} else {
				_, err = s.Collect(t.Context(), pin, s.Store, nil)
			}
			all := fault.All(err)
			if len(all) != 1 || all[0].Code != bundle.DiskFull.Code || !strings.Contains(err.Error(), "_pkg_.a: no space left on device") || *pauses != 0 {
				t.Errorf("have %v, need DISK-FULL with the file", err)
			}
		})
	}
	t.Run("no full disk", func(t *testing.T) {
		s := source(t)
		s.Go = fake(t, `"build -v") echo 'undefined: x' >&2; exit 1 ;;`)
		if _, err := s.Collect(t.Context(), pinned(t), s.Store, nil); !gomod.CompileFailed.Is(err) || bundle.DiskFull.Is(err) {
			t.Errorf("have %v, need COMPILE-FAILED", err)
		}
	})
}

// A compile is one piece of work, whatever package it is at.
func TestHeartbeat(t *testing.T) {
	s := source(t)
	s.Every = 5 * time.Millisecond
	s.Go = fake(t, `"build -v") for p in a/one b/two c/three; do echo $p; sleep 0.1; done; mkdir -p bin; echo program >bin/hello ;;`)
	pin := pinned(t)
	steps := map[string]int64{} // with no lock: progress is over when Collect is
	if _, err := s.Collect(t.Context(), pin, s.Store, func(name string, done, total int64) {
		work, step, _ := strings.Cut(name, ": ")
		if work != pin.Want.Name || (total != 0) != (step == "") || steps[""] != 0 {
			t.Errorf("have progress of %q, %d of %d, need that of %q", name, done, total, pin.Want.Name)
		}
		steps[step] = done
	}); err != nil {
		t.Fatal(err)
	}
	for step, n := range map[string]int64{"compiling a/one": 1, "compiling b/two": 2, "compiling c/three": 3, "": 3} {
		if steps[step] != n {
			t.Errorf("have %v, need %q as package %d", steps, step, n)
		}
	}
}
