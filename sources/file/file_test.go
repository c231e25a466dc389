package file_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/sources/file"
)

const text = "a release binary"

var (
	right = digest.Of([]byte(text))
	wrong = digest.Of([]byte("another"))
)

func TestFile(t *testing.T) {
	var gets int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/v1/zot" {
			gets++
		}
		bodies := map[string]string{
			"/v1/zot": text, "/v1/sums": wrong.Hex() + "  other\n" + right.Hex() + " *dist/zot\n",
			"/v1/twice": right.Hex() + "  zot\n" + wrong.Hex() + "  zot\n", "/v1/odd": "odd  zot\n", "/v1/wrong": wrong.Hex() + "  zot\n"}
		body, ok := bodies[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	}))
	t.Cleanup(srv.Close)
	path := filepath.Join(t.TempDir(), "zot")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sums := filepath.Join(t.TempDir(), "sums")
	if err := os.WriteFile(sums, []byte(right.Hex()+"  zot\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := srv.URL + "/v1/"
	tests := []struct {
		summary string
		want    bundle.FileWant
		gets    int // downloads that Resolve needs
		code    *fault.Kind
	}{
		{"from a server, digest known", bundle.FileWant{URL: at + "zot", Digest: right, Mode: 0o755}, 0, nil},
		{"from a server, by checksum file", bundle.FileWant{URL: at + "zot?x=1", Checksum: at + "sums"}, 0, nil},
		{"from a server, nothing known", bundle.FileWant{URL: at + "zot"}, 1, nil},
		{"from a folder", bundle.FileWant{Path: path}, 0, nil},
		{"from a folder, by checksum file", bundle.FileWant{Path: path, Checksum: sums, Digest: right}, 0, nil},
		{"from a folder, by checksum file alone", bundle.FileWant{Path: path, Checksum: sums}, 0, nil},
		{"from a folder, not as the checksum file on a server says", bundle.FileWant{Path: path, Checksum: at + "wrong"}, 0, &bundle.DigestMismatch},
		{"nowhere", bundle.FileWant{}, 0, &file.Unreadable},
		{"in two places", bundle.FileWant{URL: at + "zot", Path: path}, 0, &file.Unreadable},
		{"not in the folder", bundle.FileWant{Path: path + "x"}, 0, &file.Unreadable},
		{"not on the server", bundle.FileWant{URL: at + "none"}, 0, &fetch.NotFound},
		{"another digest in the folder", bundle.FileWant{Path: path, Digest: wrong}, 0, &bundle.DigestMismatch},
		{"checksum file and Spec differ", bundle.FileWant{URL: at + "zot", Digest: wrong, Checksum: at + "sums"}, 0, &bundle.DigestMismatch},
		{"no checksum file", bundle.FileWant{URL: at + "zot", Checksum: at + "none"}, 0, &fetch.NotFound},
		{"no checksum file in the folder", bundle.FileWant{Path: path, Checksum: path + "x"}, 0, &file.Unreadable},
		{"not in the checksum file", bundle.FileWant{Path: path, Checksum: path}, 0, &file.ChecksumMissing},
		{"two sums", bundle.FileWant{URL: at + "zot", Checksum: at + "twice"}, 0, &file.ChecksumMissing},
		{"an odd sum", bundle.FileWant{URL: at + "zot", Checksum: at + "odd"}, 0, &file.ChecksumMissing},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			s := source(t)
			gets = 0
			pin, err := s.Resolve(t.Context(), bundle.Want{Name: "zot", File: &tt.want})
			if tt.code != nil {
				if !tt.code.Is(err) {
					t.Errorf("have %v, need %s", err, tt.code.Code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if pin.File.Digest != right || pin.File.Size != int64(len(text)) || gets != tt.gets {
				t.Errorf("have %v after %d downloads, need %s after %d", pin.File, gets, right, tt.gets)
			}
			got, err := s.Collect(t.Context(), pin, s.Store, nil)
			if err != nil {
				t.Fatal(err)
			}
			mode := tt.want.Mode
			if mode == 0 {
				mode = 0o644
			}
			if len(got) != 1 || got[0].Name != "zot" || got[0].Mode != mode || !s.Store.Has(right) {
				t.Errorf("have %v", got)
			}
			if strings.Contains(got[0].Source, filepath.Dir(path)) {
				t.Errorf("have this machine's folder in the source %q", got[0].Source)
			}
		})
	}
}

// A file that a checksum file pinned wrongly is found out when its bytes come.
func TestChangedAfterTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := source(t)
	pin, err := s.Resolve(t.Context(), bundle.Want{Name: "f", File: &bundle.FileWant{Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !bundle.DigestMismatch.Is(err) {
		t.Errorf("have %v, need DIGEST-MISMATCH", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !file.Unreadable.Is(err) {
		t.Errorf("have %v, need SOURCE-FILE", err)
	}
}

func source(t *testing.T) file.Source {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := fetch.Default()
	c.Wait = func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }
	return file.Source{Store: s, Fetch: c}
}
