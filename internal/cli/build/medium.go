package build

import (
	"fmt"
	"io"
	"os"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/iso/iso9660"
)

// openISO opens an ISO, or the device it was written to, for reading; the caller
// closes the file. A device is longer than the ISO: what lies behind is nobody's.
func openISO(path string) (*os.File, *iso9660.FS, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, unreadable.New("cannot read the ISO: %w", err)
	}
	fsys, err := openFS(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fsys, nil
}

func openFS(f *os.File) (*iso9660.FS, error) {
	if st, err := f.Stat(); err != nil || st.IsDir() {
		return nil, unreadable.New("cannot read the ISO: have a folder at %s, need a file or device", f.Name())
	}
	// A device's size is where its end is: Stat gives 0 (stat(2), st_size).
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, unreadable.New("cannot read the ISO: %w", err)
	}
	fsys, err := iso9660.Open(f, size)
	if err != nil && len(fault.All(err)) == 0 {
		return nil, unreadable.New("cannot read the ISO: %w", err)
	}
	return fsys, err
}

type verifyCmd struct {
	ISO string `arg:"" type:"path" help:"The ISO, or the device it was written to."`
}

func (c verifyCmd) Run(r *run) error {
	f, fsys, err := openISO(c.ISO)
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := bundle.Verify(r.ctx, fsys, func(done, total int64, _ string) { r.report.Report("verify", done, total) })
	if err != nil {
		return err
	}
	m := v.Manifest()
	var total int64
	for _, file := range m.Files {
		total += file.Size
	}
	return r.print(map[string]any{"release": m.Release, "files": len(m.Files), "bytes": total, "intact": true},
		fmt.Sprintf("%s: intact: %d files, %s, each as the manifest says\n", m.Release, len(m.Files), size.Bytes(total)))
}
