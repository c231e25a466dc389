package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/size"
)

// transfer is one file on its way: how far it is, and what the server called
// the version that the bytes so far belong to.
type transfer struct {
	client   *Client
	req      Request
	file     *os.File
	etagPath string
	progress func(done, total int64)

	at      int64 // bytes on disk
	etag    string
	resumed bool
}

// find takes up what an earlier run left. Bytes of an unknown version are worth
// keeping only where a digest will judge them.
func (t *transfer) find() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	etag, _ := os.ReadFile(t.etagPath)
	t.at, t.etag = info.Size(), string(etag)
	tooMuch := t.req.Size > 0 && t.at > t.req.Size
	if t.etag == "" && t.req.Digest == "" || tooMuch {
		return t.restart()
	}
	t.resumed = t.at > 0
	return nil
}

func (t *transfer) restart() error {
	t.at, t.resumed = 0, false
	return t.file.Truncate(0)
}

// once sends one request and takes what it brings.
func (t *transfer) once(ctx context.Context) error {
	if t.req.Size > 0 && t.at == t.req.Size {
		return nil // complete, from an earlier run
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := t.exchange(ctx, cancel)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // "nothing came for ..." says more than "canceled"
	}
	return err
}

func (t *transfer) exchange(ctx context.Context, cancel context.CancelCauseFunc) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.req.URL, nil)
	if err != nil {
		return permanent{err}
	}
	if t.req.Accept != "" {
		r.Header.Set("Accept", t.req.Accept)
	}
	if t.at > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.at))
		if t.etag != "" {
			r.Header.Set("If-Range", t.etag)
		}
	}
	// A connection that brings nothing for the stall time is cut, so that another
	// can be tried.
	stall := t.client.StallLimit()
	silent := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %s", stall)) })
	defer silent.Stop()
	resp, err := t.client.http().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := t.accept(resp); err != nil {
		return err
	}
	total := t.req.Size
	if resp.ContentLength >= 0 {
		total = t.at + resp.ContentLength
	}
	if limit := t.limit(); total > limit {
		return t.oversize(total, limit)
	}
	if there := t.at + resp.ContentLength; resp.ContentLength >= 0 && there < t.req.Size {
		_ = t.restart()
		return permanent{bundle.DigestMismatch.New("cannot use %s: have a file of %d bytes there, need %d bytes of %s", t.req.URL, there, t.req.Size, t.req.Digest).
			Hint("the file was replaced by its maker, or this is the wrong address; if it is right, lock again")}
	}
	return t.copy(resp.Body, total, func() { silent.Reset(stall) })
}

// accept judges the answer's head and sets where its bytes go.
func (t *transfer) accept(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		if err := t.restart(); err != nil {
			return permanent{err}
		}
	case code == http.StatusPartialContent:
		var from int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != t.at {
			if err := t.restart(); err != nil {
				return permanent{err}
			}
			return fmt.Errorf("have an answer for %q, need one from byte %d", resp.Header.Get("Content-Range"), t.at)
		}
		t.resumed = true
	case code == http.StatusRequestedRangeNotSatisfiable && t.at > 0:
		// What is here is not the beginning of what is there.
		if err := t.restart(); err != nil {
			return permanent{err}
		}
		return fmt.Errorf("have %s, need the rest of the file", resp.Status)
	case code == http.StatusNotFound || code == http.StatusGone:
		return permanent{NotFound.New("cannot fetch %s: have answer %q, need the file", t.req.URL, resp.Status).
			Hint("check the address and version; a mirror drops old versions")}
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return wait{fmt.Errorf("have answer %q, need the file", resp.Status), retryAfter(resp.Header, time.Now())}
	default:
		return permanent{Refused.New("cannot fetch %s: have answer %q, need the file", t.req.URL, resp.Status).
			Hint("check whether the address needs a login or another proxy")}
	}
	// Only a strong validator may stand in If-Range (RFC 9110, section 13.1.5).
	t.etag = resp.Header.Get("ETag")
	if strings.HasPrefix(t.etag, "W/") {
		t.etag = ""
	}
	if t.etag == "" {
		_ = os.Remove(t.etagPath)
		return nil
	}
	if err := os.WriteFile(t.etagPath, []byte(t.etag), 0o644); err != nil {
		return permanent{err}
	}
	return nil
}

// copy appends the body to the file until its end; alive is called for each piece.
func (t *transfer) copy(body io.Reader, total int64, alive func()) error {
	if _, err := t.file.Seek(t.at, io.SeekStart); err != nil {
		return permanent{err}
	}
	limit := t.limit()
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		alive()
		if t.at+int64(n) > limit {
			return t.oversize(t.at+int64(n), limit)
		}
		if n > 0 {
			if _, werr := t.file.Write(buf[:n]); werr != nil {
				return permanent{werr}
			}
			t.at += int64(n)
			t.progress(t.at, total)
		}
		switch {
		case err == io.EOF && total > 0 && t.at < total:
			return fmt.Errorf("have %d bytes at the end of the answer, need %d", t.at, total)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (t *transfer) limit() int64 {
	switch {
	case t.req.Size > 0:
		return t.req.Size
	case t.req.Max > 0:
		return int64(t.req.Max)
	}
	return int64(DefaultMax)
}

func (t *transfer) oversize(have, limit int64) error {
	_ = t.restart()
	return permanent{Oversize.New("cannot fetch %s: have at least %s (%d bytes), need at most %d bytes", t.req.URL, size.Bytes(have), have, limit).
		Hint("the file was replaced by its maker, or this is the wrong address; if it is right, lock again")}
}
