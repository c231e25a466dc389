package node

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/spec"
)

// ReadKeys reads the public keys in the top folder of a stick.
func (h *host) ReadKeys(context.Context) (keys []string, where string, err error) {
	m, err := machine.Probe(h.r.env.Root())
	if err != nil {
		return nil, "", err
	}
	where, err = h.r.env.Stick(m, func(dir string) error {
		keys, err = publicKeys(dir)
		return err
	})
	return keys, where, err
}

// publicKeys are the good lines of a folder's *.pub files; without one, it says why.
func publicKeys(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	none := KeysNone.New("cannot read keys from the stick: have no public key in a file *.pub, need one in its top folder")
	var keys []string
	for _, e := range entries {
		// FAT knows no case; ._* is what macOS leaves beside a file.
		if !e.Type().IsRegular() || !strings.EqualFold(filepath.Ext(e.Name()), ".pub") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		raw, err := readSmall(filepath.Join(dir, e.Name()))
		if err != nil {
			none.Hint("%s: %v", e.Name(), err)
			continue
		}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if why := spec.KeyProblem(line); why != "" {
				none.Hint("%s: %s", e.Name(), why)
				break // one line tells enough of a file that is none
			}
			if !slices.Contains(keys, line) {
				keys = append(keys, line)
			}
		}
	}
	if len(keys) == 0 {
		return nil, none
	}
	return keys, nil
}
