package fetch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	for _, c := range []struct {
		n       int
		atLeast time.Duration
		jitter  float64
		want    time.Duration
	}{
		{1, 0, 0, 500 * time.Millisecond}, {1, 0, 1, 1500 * time.Millisecond},
		{2, 0, 0.5, 2 * time.Second}, {3, 0, 0.5, 4 * time.Second}, {6, 0, 0.5, 32 * time.Second},
		{60, 0, 0.5, 32 * time.Second}, // no longer, and no overflow
		{1, 7 * time.Second, 0.5, 7 * time.Second}, {6, 7 * time.Second, 0.5, 32 * time.Second},
	} {
		if have := pause(c.n, c.atLeast, c.jitter); have != c.want {
			t.Errorf("before try %d, at least %s, jitter %v: have %s, need %s", c.n, c.atLeast, c.jitter, have, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "-5": 0, "soon": 0, "1.5": 0,
		"86400": longestPause, "99999999999999999999": 0,
		"Wed, 01 Jul 2026 12:00:30 GMT": 30 * time.Second, "Wed, 01 Jul 2026 11:00:00 GMT": 0, "Thu, 02 Jul 2026 12:00:00 GMT": longestPause,
	} {
		if have := retryAfter(http.Header{"Retry-After": {text}}, now); have != want {
			t.Errorf("Retry-After %q: have %s, need %s", text, have, want)
		}
	}
}

func TestRepeat(t *testing.T) {
	passing, gone := errors.New("passing"), errors.New("gone for good")
	tests := []struct {
		summary string
		errs    []error // of each try; the last one again and again
		further []int   // tries that come further
		waits   []int   // n of each pause
		code    error
		gaveUp  bool
	}{
		{"well at once", []error{nil}, nil, nil, nil, false},
		{"well in the end", []error{passing, passing, nil}, nil, []int{1, 2}, nil, false},
		{"never well", []error{passing}, nil, []int{1, 2}, passing, true},
		{"coming further counts anew", []error{passing, passing, passing, passing, nil}, []int{3}, []int{1, 2, 1, 2}, nil, false},
		{"for good", []error{passing, Permanent(gone)}, nil, []int{1}, gone, false},
		{"the server's own pause", []error{wait{passing, time.Hour}, nil}, nil, []int{3600}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			var waits []int
			c := Client{Tries: 3, Wait: func(_ context.Context, n int, atLeast time.Duration) error {
				if atLeast > 0 {
					n = int(atLeast.Seconds())
				}
				waits = append(waits, n)
				return nil
			}}
			tried := 0
			err := c.Repeat(t.Context(), func() (bool, error) {
				tried++
				return slices.Contains(tt.further, tried), tt.errs[min(tried, len(tt.errs))-1]
			})
			var gaveUp *GaveUp
			if !errors.Is(err, tt.code) || errors.As(err, &gaveUp) != tt.gaveUp || !slices.Equal(waits, tt.waits) {
				t.Errorf("have %v after pauses %v, need %v after %v", err, waits, tt.code, tt.waits)
			}
			if tt.gaveUp && gaveUp.Tries != 3 {
				t.Errorf("have %d tries, need 3", gaveUp.Tries)
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	err := (&Client{}).Repeat(ctx, func() (bool, error) { stop(); return false, passing })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: have %v, need the stop", err)
	}
}
