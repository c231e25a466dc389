package build

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

type inspectCmd struct {
	ISO string `arg:"" type:"path" help:"The ISO, or the device it was written to."`
}

// inspected is the result under --json: the manifest, and what only the Spec says.
type inspected struct {
	bundle.Manifest
	Digest     digest.Digest   `json:"digest"` // of the manifest
	Kubernetes spec.Kubernetes `json:"kubernetes"`
	Registry   spec.Registry   `json:"registry"`
}

func (c inspectCmd) Run(r *run) error {
	f, fsys, err := openISO(c.ISO)
	if err != nil {
		return err
	}
	defer f.Close()
	m, d, err := bundle.Peek(fsys)
	if err != nil {
		return err
	}
	e, err := carriedSpec(fsys, m.Spec)
	if err != nil {
		return err
	}
	return r.print(inspected{m, d, e.Kubernetes, e.Registry}, describe(m, d, e))
}

// carriedSpec is the Spec on the medium, if it is the one that the manifest names.
func carriedSpec(medium fs.FS, want digest.Digest) (spec.Enclave, error) {
	damaged := func(err error) error {
		return bundle.MediaDamaged.New("cannot read %s: %w", bundle.SpecPath, err).Hint("caisson verify tells what else differs")
	}
	f, err := medium.Open(bundle.SpecPath)
	if err != nil {
		return spec.Enclave{}, damaged(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, spec.MaxSize+1))
	if err != nil {
		return spec.Enclave{}, damaged(err)
	}
	if have := digest.Of(raw); have != want {
		return spec.Enclave{}, damaged(fmt.Errorf("have %s, need %s", have, want))
	}
	l, err := spec.Parse(raw, ".")
	return l.Enclave, err
}

// describe is the text of `caisson inspect`. It is what the manifest and the
// Spec say; only verify compares that with the bytes.
func describe(m bundle.Manifest, d digest.Digest, e spec.Enclave) string {
	var b strings.Builder
	line := func(k, format string, a ...any) { fmt.Fprintf(&b, "%-12s %s\n", k, fmt.Sprintf(format, a...)) }
	sources := map[digest.Digest]string{}
	perKind, count := map[string]int64{}, map[string]int{}
	var total int64
	for _, f := range m.Files {
		sources[f.Digest] = f.Source
		perKind[f.Kind] += f.Size
		count[f.Kind]++
		total += f.Size
	}
	line("enclave", "%s", m.Enclave)
	line("release", "%s", m.Release)
	for _, name := range m.StandIns {
		line("STAND-IN", "%s is not the vendor's: this medium is for tests of Caisson", name)
	}
	line("manifest", "%s", d)
	line("kubernetes", "%s, profile %s", e.Kubernetes.Version, e.Kubernetes.Profile)
	line("registry", "%s", registry(e.Registry))
	line("node OS", "%s, %s, verity root %s", m.OS.Version, size.Bytes(m.OS.Size), m.OS.RootHash)
	line("built by", "caisson %s", m.Caisson)
	line("spec", "%s", m.Spec)
	line("lock", "%s", m.Lock)
	if x := m.Secrets; x != nil {
		line("secrets", "sealed with a passphrase, %s, %s", size.Bytes(x.Size), x.Digest)
		for _, l := range fingerprints(*x) {
			line("", "%s", l)
		}
	}
	line("files", "%d, %s", len(m.Files), size.Bytes(total))
	for _, k := range []string{"boot", "os", "payload", "image", "meta"} {
		line("  "+k, "%d files, %s", count[k], size.Bytes(perKind[k]))
	}
	fmt.Fprintf(&b, "\npayload (%d)\n", len(m.Payload))
	for _, p := range m.Payload {
		row := fmt.Sprintf("  %-46s %10s  %s  %s", p.Path, size.Bytes(p.Size), p.Digest.Short(), sources[p.Digest])
		fmt.Fprintln(&b, strings.TrimRight(row, " "))
	}
	fmt.Fprintf(&b, "\nimages (%d)\n", len(m.Images))
	for _, im := range m.Images {
		fmt.Fprintf(&b, "  %-54s %10s  %s\n", im.Ref, size.Bytes(im.Total), im.Digest.Short())
	}
	b.WriteString("\nThis is what the manifest says. `caisson verify` compares it with the bytes.\n")
	return b.String()
}

// registry names the engine, and its version or, where the Spec has none, the
// release file that stands for one.
func registry(r spec.Registry) string {
	switch {
	case r.Version != "":
		return r.Engine + " " + r.Version
	case r.Binary != nil:
		return r.Engine + " from " + r.Binary.URL + r.Binary.Path
	}
	return r.Engine
}
