package apply

import (
	"context"
	"path"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/secrets"
)

// checkSecrets demands that what was opened is what the plan names, before
// anything is written. The plan has no secret in it: this is where the two meet.
func checkSecrets(named *bundle.SealedSecrets, opened *secrets.Set) error {
	switch {
	case named == nil:
		return nil
	case opened == nil:
		return SecretsNotOpened.New("cannot place the cluster's CAs and keys: have the sealed file %s, need it opened with its passphrase", named.Digest).
			Hint("type the passphrase on the screen, or bring it in caisson-passphrase.txt on the medium with the answers")
	case opened.Sealed() != named.Digest || opened.Content() != named.Content:
		return secrets.Differ.New("cannot place the cluster's CAs and keys: have those of %s, need those of %s, which the plan names", opened.Sealed(), named.Digest)
	}
	same := slices.EqualFunc(opened.Files(), named.Files, func(a secrets.File, b bundle.SecretFile) bool { return a.Path == b.Path && a.Mode == b.Mode })
	if !same {
		return secrets.Differ.New("cannot place the cluster's CAs and keys: have other files, need the %d that the plan names", len(named.Files))
	}
	return nil
}

// placeSecrets writes what was opened, each file readable by root alone unless it
// is no secret, in folders that are root's alone, and reads it back.
func (r *run) placeSecrets(ctx context.Context, s plan.Step) error {
	if err := checkSecrets(s.Secrets, r.Secrets); err != nil {
		return err
	}
	files := slices.Clone(r.Secrets.Files())
	if s.Only != nil {
		files = slices.DeleteFunc(files, func(f secrets.File) bool { return !slices.Contains(s.Only, f.Path) })
	}
	for _, f := range files {
		if err := r.System.MkdirAll(r.root()+path.Dir(f.Path), 0o700, 0); err != nil {
			return err
		}
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.System.WriteFile(r.root()+f.Path, f.Mode, strings.NewReader(f.Data)); err != nil {
			return err
		}
	}
	if err := r.System.Sync(r.root() + "/var"); err != nil {
		return err
	}
	for _, f := range files {
		if err := r.readBack(r.root(), plan.File{Path: f.Path, Digest: digest.Of([]byte(f.Data))}); err != nil {
			return err
		}
	}
	return nil
}
