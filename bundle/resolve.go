package bundle

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
)

// atOnce bounds parallel work on sources: enough to hide latency, few enough
// to be a polite guest of a mirror.
const atOnce = 4

// Resolve pins every Want: Wants -> Lock. It is the only arrow that asks the
// network what exists. All errors are reported at once, in the order of the
// names. A pin of old (may be nil) is kept while its Want is unchanged, so that
// a Lock moves only where the Spec moved; things read from local folders are
// looked at anew each time. The same Want twice counts once.
func Resolve(ctx context.Context, spec digest.Digest, epoch int64, wants []Want, old *Lock, src Source, progress Progress) (Lock, error) {
	wants, err := distinct(wants)
	if err != nil {
		return Lock{}, err
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	kept := map[string]Pin{}
	if old != nil {
		for _, p := range old.Pins {
			kept[p.Want.Name] = p
		}
	}
	pins, errs := make([]Pin, len(wants)), make([]error, len(wants))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, w := range wants {
		g.Go(func() error {
			if p, ok := kept[w.Name]; ok && !w.local() && sameWant(p.Want, w) {
				pins[i] = p
				return nil
			}
			if errs[i] = ctx.Err(); errs[i] != nil {
				return nil
			}
			progress(w.Name, 0, 1)
			pins[i], errs[i] = src.Resolve(ctx, w)
			if errs[i] == nil {
				pins[i].Want = w
				errs[i] = pins[i].check()
			}
			progress(w.Name, 1, 1)
			return nil
		})
	}
	_ = g.Wait()
	if err := outcome(ctx, errs); err != nil {
		return Lock{}, err
	}
	return Lock{APIVersion: apiVersion, Kind: lockKind, Spec: spec, Epoch: epoch, Pins: pins}, nil
}

// Collect brings the bytes of every pin into the store: Lock -> Artifacts, by
// the Want's name. It goes on where an earlier run stopped. All errors are
// reported at once; when ctx ends, the fault is INTERRUPTED.
func Collect(ctx context.Context, l Lock, src Source, s *Store, progress Progress) (map[string][]Artifact, error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	got, errs := make([][]Artifact, len(l.Pins)), make([]error, len(l.Pins))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, p := range l.Pins {
		g.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil {
				got[i], errs[i] = src.Collect(ctx, p, s, progress)
			}
			return nil
		})
	}
	_ = g.Wait()
	if err := outcome(ctx, errs); err != nil {
		return nil, err
	}
	out := make(map[string][]Artifact, len(got))
	for i, p := range l.Pins {
		out[p.Want.Name] = got[i]
	}
	return out, nil
}

// outcome joins the errors of parallel work. What several wants share, such as
// a release that is not there, is said once. Once ctx ended, most errors only say
// so, each in its own words: one fault says it once.
func outcome(ctx context.Context, errs []error) error {
	said := map[string]bool{}
	errs = slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
	err := errors.Join(errs...)
	if err == nil || ctx.Err() == nil {
		return err
	}
	return Interrupted.New("cannot finish: %w", context.Cause(ctx)).
		Hint("run the same command again; it goes on where it was")
}

// distinct sorts the wants by name and drops repeats; two different wants of
// one name are a conflict.
func distinct(wants []Want) ([]Want, error) {
	sorted := slices.Clone(wants)
	slices.SortStableFunc(sorted, func(a, b Want) int { return strings.Compare(a.Name, b.Name) })
	var out []Want
	var errs []error
	for _, w := range sorted {
		switch {
		case len(out) == 0 || out[len(out)-1].Name != w.Name:
			out = append(out, w)
			errs = append(errs, w.check())
		case !sameWant(out[len(out)-1], w):
			errs = append(errs, WantConflict.New("cannot tell which %q is meant: have two different wants of that name, need one", w.Name).
				Hint("look for one image or file that is listed twice in the Spec, in different ways"))
		}
	}
	return out, errors.Join(errs...)
}

// check says whether exactly one kind of thing is wanted.
func (w Want) check() error {
	n := 0
	for _, set := range []bool{w.Module != nil, w.Debian != nil, w.File != nil, w.Image != nil} {
		if set {
			n++
		}
	}
	if n != 1 || w.Name == "" {
		return WantConflict.New("cannot read want %q: have %d kinds of source, need a name and exactly one", w.Name, n)
	}
	return nil
}

// local tells whether the bytes are on this machine, where they may change
// under the same name.
func (w Want) local() bool {
	return w.File != nil && w.File.Path != "" || w.Image != nil && !w.Image.Registry
}

func sameWant(a, b Want) bool {
	x, errx := canon.Digest(a)
	y, erry := canon.Digest(b)
	return errx == nil && erry == nil && x == y
}
