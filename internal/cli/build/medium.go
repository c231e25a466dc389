package build

import (
	"fmt"
	"os"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/iso/iso9660"
)

// openISO opens an ISO for reading; the caller closes the file.
func openISO(path string) (*os.File, *iso9660.FS, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, unreadable.New("cannot read the ISO: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, unreadable.New("cannot read the ISO: %w", err)
	}
	fsys, err := iso9660.Open(f, st.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fsys, nil
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

type inspectCmd struct {
	ISO string `arg:"" type:"path" help:"The ISO."`
}

func (c inspectCmd) Run(r *run) error {
	f, fsys, err := openISO(c.ISO)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := bundle.Peek(fsys)
	if err != nil {
		return err
	}
	return r.print(m, describe(m))
}

// describe is the text of `caisson inspect`. It is what the manifest says; only
// verify compares that with the bytes.
func describe(m bundle.Manifest) string {
	var b strings.Builder
	line := func(k, format string, a ...any) { fmt.Fprintf(&b, "%-12s %s\n", k, fmt.Sprintf(format, a...)) }
	line("enclave", "%s", m.Enclave)
	line("release", "%s", m.Release)
	line("built by", "caisson %s", m.Caisson)
	line("spec", "%s", m.Spec)
	line("lock", "%s", m.Lock)
	line("node OS", "%s, %s, verity root %s", m.OS.Version, size.Bytes(m.OS.Size), m.OS.RootHash)
	perKind, count := map[string]int64{}, map[string]int{}
	var total int64
	for _, f := range m.Files {
		perKind[f.Kind] += f.Size
		count[f.Kind]++
		total += f.Size
	}
	line("files", "%d, %s", len(m.Files), size.Bytes(total))
	for _, k := range []string{"boot", "os", "payload", "image", "meta"} {
		line("  "+k, "%d files, %s", count[k], size.Bytes(perKind[k]))
	}
	fmt.Fprintf(&b, "\npayload (%d)\n", len(m.Payload))
	for _, p := range m.Payload {
		fmt.Fprintf(&b, "  %-46s %10s  %s\n", p.Path, size.Bytes(p.Size), p.Digest.Short())
	}
	fmt.Fprintf(&b, "\nimages (%d)\n", len(m.Images))
	for _, im := range m.Images {
		fmt.Fprintf(&b, "  %-54s %10s  %s\n", im.Ref, size.Bytes(im.Total), im.Digest.Short())
	}
	b.WriteString("\nThis is what the manifest says. `caisson verify` compares it with the bytes.\n")
	return b.String()
}
