package fetch_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"caisson.dev/caisson/internal/fetch"
)

// A server that says when to come back is not asked before.
func TestGetHeedsRetryAfter(t *testing.T) {
	srv := newServer(t)
	srv.answer = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 1
	}
	var pauses []time.Duration
	c := client()
	c.Wait = func(_ context.Context, _ int, atLeast time.Duration) error {
		pauses = append(pauses, atLeast)
		return nil
	}
	if _, _, err := c.Get(t.Context(), store(t), fetch.Request{URL: srv.URL + "/f", Digest: contentDigest}, nil); err != nil {
		t.Fatal(err)
	}
	if len(pauses) != 1 || pauses[0] != 7*time.Second {
		t.Errorf("have pauses %v, need one of at least 7s", pauses)
	}
}
