package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
)

// content is long enough for several pieces on the wire.
var content = strings.Repeat("0123456789abcdef", 40_000)

var contentDigest = digest.Of([]byte(content))

// server serves content with Range and If-Range, and misbehaves as told.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // the Range header of each request
	text   string
	etag   string
	answer func(n int, w http.ResponseWriter, r *http.Request) bool // true: it answered
}

func newServer(t *testing.T) *server {
	s := &server{text: content, etag: `"v1"`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Header.Get("Range"))
		n, text := len(s.asked), s.text
		s.mu.Unlock()
		if s.answer != nil && s.answer(n, w, r) {
			return
		}
		if s.etag != "" {
			w.Header().Set("ETag", s.etag)
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}))
	t.Cleanup(s.Close)
	return s
}

// cut sends the first n bytes of the whole answer and drops the connection.
func cut(w http.ResponseWriter, etag string, n int) bool {
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = w.Write([]byte(content[:n]))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func client() *fetch.Client {
	c := fetch.Default()
	c.Wait = func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }
	return c
}

func store(t *testing.T) *bundle.Store {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGet(t *testing.T) {
	tests := []struct {
		summary string
		req     fetch.Request
		answer  func(n int, w http.ResponseWriter, r *http.Request) bool
		asked   []string
		code    *fault.Kind
	}{
		{"all known", fetch.Request{Digest: contentDigest, Size: int64(len(content))}, nil, []string{""}, nil},
		{"nothing known", fetch.Request{}, nil, []string{""}, nil},
		{"cut off, then resumed", fetch.Request{Digest: contentDigest, Size: int64(len(content))},
			func(n int, w http.ResponseWriter, _ *http.Request) bool { return n == 1 && cut(w, `"v1"`, 1000) },
			[]string{"", "bytes=1000-"}, nil},
		{"cut off with nothing known, then resumed by its ETag", fetch.Request{},
			func(n int, w http.ResponseWriter, _ *http.Request) bool { return n == 1 && cut(w, `"v1"`, 1000) },
			[]string{"", "bytes=1000-"}, nil},
		{"changed while cut off: begun again", fetch.Request{},
			func(n int, w http.ResponseWriter, _ *http.Request) bool { return n == 1 && cut(w, `"v0"`, 1000) },
			[]string{"", "bytes=1000-"}, nil},
		{"busy, then well", fetch.Request{Digest: contentDigest},
			func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n < 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
				return n < 3
			}, []string{"", "", ""}, nil},
		{"always busy", fetch.Request{Digest: contentDigest},
			func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true },
			[]string{"", "", "", "", ""}, &fetch.Unreachable},
		{"gone", fetch.Request{Digest: contentDigest},
			func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(404); return true },
			[]string{""}, &fetch.NotFound},
		{"a login", fetch.Request{Digest: contentDigest},
			func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(401); return true },
			[]string{""}, &fetch.Refused},
		{"another file", fetch.Request{Digest: digest.Of([]byte("x"))}, nil, []string{""}, &bundle.DigestMismatch},
		{"a longer file", fetch.Request{Digest: contentDigest, Size: 1000}, nil, []string{""}, &fetch.Oversize},
		{"a longer file with no length", fetch.Request{Max: 1000},
			func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				_ = http.NewResponseController(w).Flush() // chunked: no Content-Length
				_, _ = w.Write([]byte(content))
				return true
			}, []string{""}, &fetch.Oversize},
		{"a ring of redirects", fetch.Request{},
			func(_ int, w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "/again", http.StatusFound)
				return true
			}, []string{"", "", "", "", "", ""}, &fetch.Refused},
		{"a shorter file", fetch.Request{Digest: contentDigest, Size: int64(len(content)) + 1}, nil, []string{""}, &bundle.DigestMismatch},
		{"a range that is not the one asked for", fetch.Request{Digest: contentDigest},
			func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n == 2 {
					w.Header().Set("Content-Range", "bytes 5-10/100")
					w.WriteHeader(http.StatusPartialContent)
				}
				return n == 2 || n == 1 && cut(w, `"v1"`, 1000)
			}, []string{"", "bytes=1000-", ""}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			srv, s := newServer(t), store(t)
			srv.answer = tt.answer
			tt.req.URL = srv.URL + "/f"
			d, n, err := client().Get(t.Context(), s, tt.req, nil)
			switch {
			case tt.code == nil && err != nil:
				t.Fatal(err)
			case tt.code == nil && (d != contentDigest || n != int64(len(content)) || !s.Has(d)):
				t.Errorf("have %s of %d bytes, need %s of %d", d, n, contentDigest, len(content))
			case tt.code != nil && !tt.code.Is(err):
				t.Errorf("have %v, need %s", err, tt.code.Code)
			}
			if have := strings.Join(srv.asked, "|"); tt.asked != nil && have != strings.Join(tt.asked, "|") {
				t.Errorf("have requests %q, need %q", srv.asked, tt.asked)
			}
		})
	}
}

// A second run goes on where a stopped one was.
func TestGetGoesOnAfterAStop(t *testing.T) {
	srv, s := newServer(t), store(t)
	ctx, stop := context.WithCancel(t.Context())
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	srv.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write([]byte(content[:5000]))
		_ = http.NewResponseController(w).Flush()
		select { // hold the line until the client is stopped
		case <-r.Context().Done():
		case <-held:
		}
		return true
	}
	req := fetch.Request{URL: srv.URL + "/f", Digest: contentDigest, Size: int64(len(content))}
	_, _, err := client().Get(ctx, s, req, func(done, _ int64) {
		if done == 5000 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("have %v, need the stop", err)
	}
	if _, _, err := client().Get(t.Context(), s, req, nil); err != nil {
		t.Fatal(err)
	}
	if srv.asked[1] != "bytes=5000-" {
		t.Errorf("have %q, need the second run to begin at byte 5000", srv.asked)
	}
	srv.asked = nil
	if _, _, err := client().Get(t.Context(), s, req, nil); err != nil || len(srv.asked) != 0 {
		t.Errorf("have %q asked for a file that is in the store: %v", srv.asked, err)
	}
}

// Bytes that an earlier run left may be of another file: the digest tells, and
// the download begins again once.
func TestGetWithARottenBeginning(t *testing.T) {
	srv, s := newServer(t), store(t)
	srv.etag = "" // nothing names the version
	req := fetch.Request{URL: srv.URL + "/f", Digest: contentDigest, Size: int64(len(content))}
	if err := os.WriteFile(s.Partial(req.URL+" "+string(req.Digest)), []byte("rotten"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client().Get(t.Context(), s, req, nil); err != nil {
		t.Fatal(err)
	}
	if have := strings.Join(srv.asked, "|"); have != "bytes=6-|" {
		t.Errorf("have requests %q, need a resumed one and a whole one", have)
	}
}

func TestGetCutsASilentLine(t *testing.T) {
	srv, s := newServer(t), store(t)
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	srv.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 2 {
			return false
		}
		if n > 1 { // the first time not even the head of an answer comes
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-held:
		}
		return true
	}
	c := client()
	c.Stall = 50 * time.Millisecond
	if _, _, err := c.Get(t.Context(), s, fetch.Request{URL: srv.URL + "/f", Digest: contentDigest}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestGetAtTheSameTime(t *testing.T) {
	srv, s := newServer(t), store(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, _, err := client().Get(t.Context(), s, fetch.Request{URL: srv.URL + "/f", Digest: contentDigest}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(srv.asked) != 1 {
		t.Errorf("have %d requests for one file, need 1", len(srv.asked))
	}
}

func TestGetRefusesOtherSchemes(t *testing.T) {
	for _, u := range []string{"file:///etc/passwd", "ftp://h/f", "/f", "http://"} {
		if _, _, err := client().Get(t.Context(), store(t), fetch.Request{URL: u}, nil); !fetch.Refused.Is(err) {
			t.Errorf("%s: have %v, need SOURCE-REFUSED", u, err)
		}
	}
}

func TestNoDowngrade(t *testing.T) {
	srv := newServer(t)
	tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, srv.URL+"/f", http.StatusFound)
	}))
	t.Cleanup(tls.Close)
	c := client()
	c.HTTP.Transport = tls.Client().Transport
	if _, _, err := c.Get(t.Context(), store(t), fetch.Request{URL: tls.URL}, nil); !fetch.Refused.Is(err) || len(srv.asked) > 0 {
		t.Errorf("have %v and %d requests over http, need SOURCE-REFUSED and none", err, len(srv.asked))
	}
}

func TestLength(t *testing.T) {
	srv := newServer(t)
	if n, err := client().Length(t.Context(), srv.URL); n != int64(len(content)) || err != nil {
		t.Errorf("have %d: %v", n, err)
	}
}
