package node

import (
	"fmt"
	"io"

	errorpages "caisson.dev/caisson/docs/errors"
	"caisson.dev/caisson/internal/cli"
)

type explainCmd struct {
	Code string `arg:"" help:"The code, as an error shows it."`
}

func (c explainCmd) Run(r *run) error {
	page, ok := errorpages.Page(c.Code)
	if !ok {
		return cli.BadUsage.New("cannot explain %q: no such code", c.Code).Hint("the code is the first word of an error, in capitals")
	}
	_, err := io.WriteString(r.out, page+"\n")
	if err != nil {
		return fmt.Errorf("cannot print the page: %w", err)
	}
	return nil
}
