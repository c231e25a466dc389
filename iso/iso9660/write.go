package iso9660

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
)

// Source is where a file's bytes come from when the image is written.
type Source struct {
	Open   func() (io.ReadCloser, error)
	Digest digest.Digest // compared with the bytes written; "" only computes it
	// Trusted says that the bytes were compared with Digest a short time ago. Then
	// they are not hashed again.
	Trusted bool
}

// Content is what a Layout doesn't know: the bytes.
type Content struct {
	System []byte // at most SystemArea bytes, from byte 0: MBR, GPT
	Tail   []byte // the last bytes of the image: the backup GPT
	// Source gives the bytes of each planned file.
	Source func(path string) (Source, error)
}

// Options of one writing.
type Options struct {
	Whole bool // compute the whole image's digest
	// Progress is told the file being written and the bytes of the image done;
	// nil is fine. It is called from the writing goroutine.
	Progress func(path string, done, total int64)
}

// Result is what was written and checked.
type Result struct {
	Size   int64         `json:"size"`
	Digest digest.Digest `json:"digest,omitempty"` // with Options.Whole
	Files  []Written     `json:"files"`            // in data order
}

// Written is one file as it lies in the image.
type Written struct {
	Path   string        `json:"path"`
	Extent Extent        `json:"extent"`
	Digest digest.Digest `json:"digest"`
}

// Write streams the image to w in one pass. A file whose size or digest differs
// from what was announced stops it with Changed: what was written so far is then
// no image, and there is no Result.
func (l *Layout) Write(ctx context.Context, w io.Writer, c Content, o Options) (Result, error) {
	if int64(len(c.System)) > SystemArea || int64(len(c.Tail)) > l.volume.Tail {
		return Result{}, BadEntry.New("cannot write the medium: have a system area of %d and a tail of %d bytes, need at most %d and %d",
			len(c.System), len(c.Tail), SystemArea, l.volume.Tail)
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	s := newStream(w, o.Whole)
	p := &pass{layout: l, stream: s, content: c, options: o, files: make([]Written, len(l.files))}
	err := p.run(ctx)
	if err == nil && s.image != nil {
		s.image.sum(func(d digest.Digest) { p.whole = d })
	}
	if failed := s.close(); err == nil {
		err = failed
	}
	if late := p.wrong.Load(); err == nil && late != nil {
		err = late
	}
	if err == nil && s.at != l.size {
		err = fmt.Errorf("cannot write the medium: have %d bytes, need %d", s.at, l.size)
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Size: l.size, Digest: p.whole, Files: p.files}, nil
}

// pass is one writing under way.
type pass struct {
	layout  *Layout
	stream  *stream
	content Content
	options Options
	files   []Written
	whole   digest.Digest
	wrong   atomic.Pointer[fault.Fault] // the first digest that differed
}

func (p *pass) run(ctx context.Context) error {
	if err := p.stream.bytes(p.content.System); err != nil {
		return err
	}
	if err := p.stream.zeros(SystemArea); err != nil {
		return err
	}
	if err := p.stream.bytes(p.layout.metadata()); err != nil {
		return err
	}
	for i, f := range p.layout.files {
		if late := p.wrong.Load(); late != nil {
			return late
		}
		if err := p.file(ctx, i, f); err != nil {
			return err
		}
	}
	if err := p.stream.zeros(p.layout.size - int64(len(p.content.Tail))); err != nil {
		return err
	}
	return p.stream.bytes(p.content.Tail)
}

// file writes one file, from its padding before to its last byte.
func (p *pass) file(ctx context.Context, i int, f *node) error {
	at := f.sector * SectorSize
	if err := p.stream.zeros(at); err != nil {
		return err
	}
	src, err := p.content.Source(f.path)
	if err != nil {
		return err
	}
	r, err := src.Open()
	if err != nil {
		return fmt.Errorf("cannot open the source of %s: %w", f.path, err)
	}
	defer r.Close()
	p.files[i] = Written{Path: f.path, Extent: Extent{at, f.size}, Digest: src.Digest}
	tick := func(int64) { p.options.Progress(f.path, p.stream.at, p.layout.size) }
	check := !src.Trusted || src.Digest == ""
	err = p.ended(f, r, p.stream.copy(ctx, r, f.size, check, tick))
	if err == nil && check {
		p.stream.file.sum(func(got digest.Digest) {
			p.files[i].Digest = got
			if src.Digest != "" && got != src.Digest {
				p.wrong.CompareAndSwap(nil, Changed.New("cannot write %s: have bytes with digest %s, need %s", f.path, got, src.Digest).
					Hint("the file changed or was damaged after it was checked: collect it again"))
			}
		})
	}
	return err
}

// ended checks that the source ends where the layout said.
func (p *pass) ended(f *node, r io.Reader, err error) error {
	hint := "the file changed while the medium was made: run the build again"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return Changed.New("cannot write %s: have %d bytes, need %d", f.path, p.stream.at-f.sector*SectorSize, f.size).Hint("%s", hint)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", f.path, err)
	}
	var more [1]byte
	if n, _ := io.ReadFull(r, more[:]); n > 0 {
		return Changed.New("cannot write %s: have more than the %d bytes announced, need exactly those", f.path, f.size).Hint("%s", hint)
	}
	return nil
}
