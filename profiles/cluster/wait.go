package cluster

import (
	"context"
	"errors"
	"time"
)

// tick is the time between two looks. A look is one small request on a
// connection that stays open.
const tick = 2 * time.Second

// Until looks until nothing is pending: it returns "", or what was pending when
// ctx ended, or an error of look that waiting will not mend.
func Until(ctx context.Context, report func(string), look func(context.Context) (string, error)) (string, error) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for last := ""; ; {
		pending, err := look(ctx)
		if err != nil {
			return "", err
		}
		if ctx.Err() != nil && last != "" {
			return last, nil // what a cut-off look found says nothing
		}
		if pending == "" {
			return "", nil
		}
		if pending != last {
			report("waiting for " + pending)
		}
		last = pending
		select {
		case <-ctx.Done():
			return last, nil
		case <-t.C:
		}
	}
}

// Cause is the innermost error: "connection refused" and not the request.
func Cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return FirstLine(err.Error())
		}
		err = inner
	}
}
