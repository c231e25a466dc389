package apply

import (
	"context"
	"hash"
	"io"

	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
)

const changed = "the medium changed after it was checked, or is failing: check it, then install again"

// checked is a reader that turns the end of a file into an error unless it had
// the plan's bytes, and stops with ctx.
type checked struct {
	ctx      context.Context
	r        io.Reader
	file     plan.File
	progress func(int64)
	h        hash.Hash
	n        int64
}

func (c *checked) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.r.Read(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	c.progress(int64(n))
	if err == io.EOF {
		if have := digest.FromSum(c.h.Sum(nil)); have != c.file.Digest || c.n != c.file.Size {
			return n, Differs.New("cannot write %s: have %d bytes of %s, need %d of %s", c.file.Path, c.n, have, c.file.Size, c.file.Digest).
				Hint(changed)
		}
	}
	return n, err
}
