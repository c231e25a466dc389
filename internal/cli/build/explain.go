package build

import (
	"strings"

	errorpages "caisson.dev/caisson/docs/errors"
)

type explainCmd struct {
	Code string `arg:"" optional:"" help:"The code, as an error shows it. Without it: the list of all codes."`
}

func (c explainCmd) Run(r *run) error {
	if c.Code == "" {
		codes := errorpages.Codes()
		return r.print(codes, strings.Join(codes, "\n")+"\n")
	}
	code := strings.ToUpper(strings.TrimSuffix(c.Code, ":"))
	page, ok := errorpages.Page(code)
	if !ok {
		return unknownCode.New("cannot explain %q: no such code", c.Code).Hint("caisson explain lists all codes")
	}
	return r.print(map[string]string{"code": code, "page": page}, page)
}
