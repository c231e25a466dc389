package iso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"caisson.dev/caisson/iso/iso9660"
)

// WriteTo streams the image to w in one pass. Without an error, every file's
// bytes had the size and digest that Files listed; with one, what was written
// is no image. Options.Whole asks for the digest of the whole as well.
func (i *Image) WriteTo(ctx context.Context, w io.Writer, o iso9660.Options) (iso9660.Result, error) {
	return i.layout.Write(ctx, w, iso9660.Content{System: i.system, Tail: i.tail, Source: i.source}, o)
}

// WriteFile writes the image to a new file at path. It appears there complete
// and checked, or not at all; a file that is there already is replaced at that
// moment. path is a regular file, never a device.
func (i *Image) WriteFile(ctx context.Context, path string, o iso9660.Options) (iso9660.Result, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return iso9660.Result{}, BadMedium.New("cannot write the image to %s: have a %s there, need a file name", path, st.Mode().Type()).
			Hint("write it to a file first, verify it, then copy it to the device with dd")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return iso9660.Result{}, fmt.Errorf("cannot write the image: %w", err)
	}
	res, err := i.WriteTo(ctx, f, o)
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return iso9660.Result{}, errors.Join(err, os.Remove(f.Name()))
	}
	return res, nil
}
