// Package fetch brings one file over HTTP or HTTPS into the Store: it resumes
// what an earlier try or run began (RFC 9110, section 14, Range and If-Range),
// tries again after passing trouble, and keeps only bytes of the right size and
// digest. It knows nothing of registries, packages or modules: package sources
// calls it. It is for the low side only; nothing on a node links it.
package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
)

// Request is one file. Without Digest it is taken as the server gives it.
type Request struct {
	URL    string
	Digest digest.Digest // "" when not known
	Size   int64         // bytes; 0 when not known
	Max    size.Bytes    // bound when Size is 0; 0 means DefaultMax
	Accept string        // the header of that name, for servers with several forms of one file
}

// DefaultMax bounds a file whose size nobody stated.
const DefaultMax = 64 * size.GiB

// Client downloads. The zero value works.
type Client struct {
	// HTTP sends the requests; nil means one with the rules of newHTTP.
	HTTP *http.Client
	// Tries is how often in a row a request may bring no byte; 0 means 5.
	Tries int
	// Wait pauses before try n (from 1); nil means exponential back-off with jitter.
	Wait func(ctx context.Context, n int, atLeast time.Duration) error
	// Stall is how long a connection may bring nothing, from its beginning on;
	// 0 means a minute.
	Stall time.Duration
}

const maxRedirects = 5

// Default is a Client with connections of its own, for one program run.
func Default() *Client { return &Client{HTTP: newHTTP()} }

// newHTTP makes a client that hands over the bytes as the server has them (no
// decompression on the way: the digest is that of the file), follows few
// redirects and none from https to http.
func newHTTP() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.ResponseHeaderTimeout = time.Minute
	return &http.Client{Transport: t, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return permanent{Refused.New("cannot follow %s: have more than %d redirects, need at most %d", via[0].URL.Redacted(), maxRedirects, maxRedirects)}
		}
		if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
			return permanent{Refused.New("cannot follow %s: have a redirect to %s, need https", via[0].URL.Redacted(), r.URL.Redacted())}
		}
		return nil
	}}
}

// Get brings the file into the Store and returns its digest and size. progress
// (may be nil) gets bytes done of the total, 0 when not known.
func (c *Client) Get(ctx context.Context, s *bundle.Store, req Request, progress func(done, total int64)) (digest.Digest, int64, error) {
	if req.Digest != "" {
		if n, err := s.Size(req.Digest); err == nil && (req.Size == 0 || n == req.Size) {
			return req.Digest, n, nil
		}
	}
	if _, err := httpURL(req.URL); err != nil {
		return "", 0, err
	}
	// Two programs must not write one partial file; whoever waited finds the blob.
	unlock, err := s.Lock(ctx, "fetch "+req.URL)
	if err != nil {
		return "", 0, err
	}
	defer unlock()
	if req.Digest != "" && s.Has(req.Digest) {
		n, err := s.Size(req.Digest)
		return req.Digest, n, err
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	path := s.Partial(req.URL + " " + string(req.Digest))
	resumed, err := c.download(ctx, path, req, progress)
	if err != nil {
		return "", 0, s.DiskFault(err, req.Size)
	}
	d, n, err := s.Adopt(ctx, path, req.Digest)
	if bundle.DigestMismatch.Is(err) && resumed {
		// The file changed on the server between two runs: begin once more.
		if _, err = c.download(ctx, path, req, progress); err != nil {
			return "", 0, s.DiskFault(err, req.Size)
		}
		d, n, err = s.Adopt(ctx, path, req.Digest)
	}
	_ = os.Remove(path + ".etag")
	if bundle.DigestMismatch.Is(err) {
		err = bundle.DigestMismatch.New("cannot use %s: have %s (%d bytes), need %s", req.URL, d, n, req.Digest).
			Hint("the file was replaced by its maker, or something on the way changes it: compare with the maker's checksum; if it was replaced on purpose, lock again")
	}
	return d, n, err
}

// download fills the file at path and tells whether its beginning came from an
// earlier answer.
func (c *Client) download(ctx context.Context, path string, req Request, progress func(done, total int64)) (resumed bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	defer f.Close()
	dl := &transfer{client: c, req: req, file: f, etagPath: path + ".etag", progress: progress}
	if err := dl.find(); err != nil {
		return false, err
	}
	furthest := dl.at
	err = c.Repeat(ctx, func() (bool, error) {
		err := dl.once(ctx)
		// What was had before and is only brought again does not count, or a
		// server could go round for ever.
		further := dl.at > furthest
		furthest = max(furthest, dl.at)
		return further, err
	})
	var gaveUp *GaveUp
	if errors.As(err, &gaveUp) {
		return false, Unreachable.New("cannot fetch %s: have %d bytes after %d tries in a row that brought none, need %s: %w",
			req.URL, dl.at, gaveUp.Tries, wanted(req), gaveUp.Err).Hint("check the network, proxy and address; run again to go on where it stopped")
	}
	return err == nil && dl.resumed, err
}

// Bytes reads a small file (a list of checksums) into memory.
func (c *Client) Bytes(ctx context.Context, s *bundle.Store, rawURL string, max size.Bytes) ([]byte, error) {
	d, _, err := c.Get(ctx, s, Request{URL: rawURL, Max: max}, nil)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(s.Path(d))
}

// Length asks for the size of a file in bytes; 0 when the server does not say.
func (c *Client) Length(ctx context.Context, rawURL string) (int64, error) {
	if _, err := httpURL(rawURL); err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, rawURL, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http().Do(r)
	if err != nil {
		return 0, nil // the download itself says why, after its tries
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return 0, nil
	}
	return resp.ContentLength, nil
}

// Through is a client like c whose requests go by way of t: one that logs in,
// on top of c's own Transport.
func (c *Client) Through(t http.RoundTripper) *Client {
	sender := *c.http()
	sender.Transport = t
	return &Client{HTTP: &sender, Tries: c.Tries, Wait: c.Wait, Stall: c.Stall}
}

// Transport is what c's requests go by.
func (c *Client) Transport() http.RoundTripper {
	if t := c.http().Transport; t != nil {
		return t
	}
	return http.DefaultTransport
}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return newHTTP()
}

func httpURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, Refused.New("cannot fetch %q: have no http or https address, need one", raw)
	}
	return u, nil
}

func wanted(req Request) string {
	if req.Size > 0 {
		return strconv.FormatInt(req.Size, 10)
	}
	return "the whole file"
}
