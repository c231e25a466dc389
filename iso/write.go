package iso

import (
	"context"
	"io"
	"os"

	"caisson.dev/caisson/internal/newfile"
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
func (i *Image) WriteFile(ctx context.Context, path string, o iso9660.Options) (res iso9660.Result, err error) {
	err = newfile.Write(path, func(f *os.File) error {
		res, err = i.WriteTo(ctx, newfile.PastCache(f), o)
		return err
	})
	if err != nil {
		return iso9660.Result{}, err
	}
	return res, nil
}
