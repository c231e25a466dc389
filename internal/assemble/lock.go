package assemble

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/bundle"
)

// LockPath is where the Lock of a Spec lies: beside it, caisson.yaml's is
// caisson.lock.
func LockPath(specPath string) string {
	return strings.TrimSuffix(specPath, filepath.Ext(specPath)) + ".lock"
}

// ReadLock reads the Lock beside the Spec and checks that it belongs to it.
// missingOK gives (nil, nil) when there is none.
func (c Choice) ReadLock(specPath string, missingOK bool) (*bundle.Lock, error) {
	raw, err := os.ReadFile(LockPath(specPath))
	if os.IsNotExist(err) {
		if missingOK {
			return nil, nil
		}
		return nil, lockMissing.New("cannot find the Lock of %s: have no file %s", specPath, LockPath(specPath)).
			Hint("caisson lock %s", specPath)
	}
	if err != nil {
		return nil, err
	}
	lock, err := bundle.ReadLock(raw)
	if err != nil {
		return nil, err
	}
	return &lock, nil
}

// Lock pins what the Spec wants. Pins of old whose Want did not change are
// kept, so that a Lock only moves where the Spec does; nil asks for all anew.
func (c Choice) Lock(ctx context.Context, old *bundle.Lock, src bundle.Source, epoch int64, progress bundle.Progress) (bundle.Lock, error) {
	wants, err := c.Wants()
	if err != nil {
		return bundle.Lock{}, err
	}
	return bundle.Resolve(ctx, c.Spec.Digest, epoch, wants, old, src, progress)
}
