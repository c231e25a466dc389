package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/profiles"
	profilecatalog "caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

type secretsCmd struct {
	Spec           string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
	Output         string `short:"o" type:"path" help:"The sealed file to write (default: what secrets.sealed in the Spec names)."`
	PassphraseFile string `type:"path" help:"Read the passphrase from the first line of this file instead of asking."`
	Force          bool   `help:"Replace the files if they exist. Nodes that were installed with the old ones keep the old CA."`
}

// Run makes a cluster's secrets, once. The Spec is read by itself: the file that
// it names is the one to be made.
func (c secretsCmd) Run(r *run) error {
	l, err := spec.Load(c.Spec)
	if err != nil {
		return err
	}
	maker, err := secretMaker(l)
	if err != nil {
		return err
	}
	path := c.Output
	if path == "" {
		if path = l.Enclave.Secrets.Sealed; path == "" {
			return l.Refuse(spec.Missing, "secrets.sealed", "nothing", "the name of the file to make").
				Hint("write secrets: {sealed: cluster-secrets%s} into the Spec, or name a file with -o", spec.SealedSuffix)
		}
		path = l.Resolve(path)
	}
	for _, p := range []string{path, path + spec.NotesSuffix} {
		if err := mayWrite(p, c.Force); err != nil {
			return err
		}
	}
	r.report.Close() // the terminal is for the question now
	passphrase, err := c.passphrase(r.ctx)
	if err != nil {
		return err
	}
	files, err := maker.MakeSecrets(l.Enclave, time.Now())
	if err != nil {
		return err
	}
	sealed, said, err := secrets.Seal(l.Enclave, files, passphrase, secrets.WorkFactor)
	if err != nil {
		return err
	}
	notes, err := canon.JSON(said)
	if err != nil {
		return err
	}
	for p, b := range map[string][]byte{path: sealed, path + spec.NotesSuffix: notes} {
		if err := newfile.Write(p, func(f *os.File) error { _, err := f.Write(b); return err }); err != nil {
			return err
		}
	}
	return r.print(said, describeSecrets(path, said))
}

// secretMaker is the Spec's profile, if it can make secrets beforehand.
func secretMaker(l spec.Loaded) (profiles.SecretMaker, error) {
	p, err := profilecatalog.Get(l.Enclave.Kubernetes.Profile)
	if err != nil {
		return nil, err
	}
	m, ok := p.(profiles.SecretMaker)
	if !ok {
		return nil, l.Refuse(spec.Unsupported, "kubernetes.profile", p.Name()+", whose secrets are made on the node", "a profile whose secrets can be made beforehand")
	}
	return m, nil
}

// describeSecrets is what is put down on paper.
func describeSecrets(path string, s bundle.SealedSecrets) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: sealed, %d files of enclave %s; %s beside it says in clear what it is\n", path, len(s.Files), s.Enclave, filepath.Base(path)+spec.NotesSuffix)
	fmt.Fprintf(&b, "sealed file  %s\n", s.Digest)
	for _, line := range fingerprints(s) {
		fmt.Fprintln(&b, line)
	}
	b.WriteString("Put the fingerprints on paper, and keep the passphrase apart from the files: nobody can open them without it.\n")
	return b.String()
}

// fingerprints is a line for each CA.
func fingerprints(s bundle.SealedSecrets) []string {
	var out []string
	for _, c := range s.CAs {
		out = append(out, fmt.Sprintf("CA %-15s %s, valid %s to %s", c.Name, c.Fingerprint, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly)))
	}
	return out
}

// passphrase is the file's, or what a person types twice.
func (c secretsCmd) passphrase(ctx context.Context) (string, error) {
	if c.PassphraseFile != "" {
		raw, err := os.ReadFile(c.PassphraseFile)
		if err != nil {
			return "", unreadable.New("cannot read the passphrase: %w", err)
		}
		p := secrets.FromFile(raw)
		return p, secrets.CheckPassphrase(p)
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", secrets.WeakPassphrase.New("cannot ask for the passphrase: have no terminal, need one to type at").Hint("or name a file with --passphrase-file")
	}
	first, err := typed(ctx, fd, "Passphrase (not shown): ")
	if err == nil {
		err = secrets.CheckPassphrase(first)
	}
	if err != nil {
		return "", err
	}
	second, err := typed(ctx, fd, "The same again: ")
	if err == nil && second != first {
		err = secrets.WeakPassphrase.New("cannot use the passphrase: have another one the second time, need the same twice")
	}
	return first, err
}

// typed reads a line without echo. An interrupt ends it with the terminal as it was.
func typed(ctx context.Context, fd int, question string) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, question)
	type answer struct {
		line []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		fmt.Fprintln(os.Stderr)
		return string(a.line), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", context.Cause(ctx)
	}
}
