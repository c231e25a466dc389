package tui

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/muesli/cancelreader"
)

// listen reads the lines of a plain terminal, and stops for as long as a shell
// has it: two readers would each get a part of what is typed.
func (p *prompter) listen(ctx context.Context, r io.Reader) error {
	in, err := cancelreader.NewReader(r)
	if err != nil {
		return err
	}
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			select {
			case p.typed <- lines.Text():
			case <-ctx.Done():
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, cancelreader.ErrCanceled):
		case err == nil:
			p.failed <- io.ErrUnexpectedEOF
		default:
			p.failed <- err
		}
	}()
	p.c.release = func() error {
		if !in.Cancel() {
			return Refused.New("cannot open a shell here: have a console whose input cannot be given away, need a terminal")
		}
		<-silent
		return in.Close()
	}
	p.c.restore = func() error { return p.listen(ctx, r) }
	return nil
}
