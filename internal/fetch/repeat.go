package fetch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTries = 5
	defaultStall = time.Minute
	longestPause = 2 * time.Minute // that a server may ask for
)

// Repeat runs try until it has no error, or one that Permanent marks, or has
// failed as often in a row as c tries (GaveUp). Between two tries it backs off.
// further says that the try came further than all before it: then it was no
// failure in a row.
func (c *Client) Repeat(ctx context.Context, try func() (further bool, err error)) error {
	tries := c.Tries
	if tries == 0 {
		tries = defaultTries
	}
	for failed := 0; ; {
		further, err := try()
		var p permanent
		var w wait
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &p):
			return p.error
		case further:
			failed = 0
		}
		if failed++; failed >= tries {
			return &GaveUp{failed, err}
		}
		errors.As(err, &w)
		if err := c.wait(ctx, failed, w.atLeast); err != nil {
			return err
		}
	}
}

// GaveUp is the end of a Repeat whose last Tries all failed, with the last error.
type GaveUp struct {
	Tries int
	Err   error
}

func (g *GaveUp) Error() string { return fmt.Sprintf("%d tries in a row failed: %v", g.Tries, g.Err) }
func (g *GaveUp) Unwrap() error { return g.Err }

// Permanent marks an error that another try cannot mend.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// wait is an error of a server that says when to come back.
type wait struct {
	error
	atLeast time.Duration
}

// StallLimit is how long a connection may bring nothing.
func (c *Client) StallLimit() time.Duration {
	if c.Stall == 0 {
		return defaultStall
	}
	return c.Stall
}

func (c *Client) wait(ctx context.Context, n int, atLeast time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, n, atLeast)
	}
	t := time.NewTimer(pause(n, atLeast, rand.Float64()))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pause before try n (from 1) is 1, 2, 4 seconds and so on to 32, each between
// half and one and a half times that (jitter is from 0 to 1), so that many
// clients of a restarted server do not come back at once.
func pause(n int, atLeast time.Duration, jitter float64) time.Duration {
	d := time.Second << min(n-1, 5)
	return max(d/2+time.Duration(jitter*float64(d)), atLeast)
}

// retryAfter is the pause that the server asks for, in seconds or as a date
// (RFC 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	d := time.Duration(0)
	if sec, err := strconv.ParseInt(text, 10, 32); err == nil {
		d = time.Duration(sec) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestPause)
}
