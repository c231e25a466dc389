package sources_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/sources"
)

// named answers with its own name.
type named string

func (n named) Resolve(context.Context, bundle.Want) (bundle.Pin, error) {
	return bundle.Pin{Want: bundle.Want{Name: string(n)}}, nil
}

func (n named) Collect(context.Context, bundle.Pin, *bundle.Store, bundle.Progress) ([]bundle.Artifact, error) {
	return []bundle.Artifact{{Name: string(n)}}, nil
}

func TestEachKindHasItsSource(t *testing.T) {
	s := &sources.Set{Modules: named("modules"), Debian: named("debian"), Files: named("files"), Images: named("images")}
	for want, w := range map[string]bundle.Want{
		"modules": {Module: &bundle.ModuleWant{}}, "debian": {Debian: &bundle.DebianWant{}},
		"files": {File: &bundle.FileWant{}}, "images": {Image: &bundle.ImageWant{}}} {
		p, err := s.Resolve(t.Context(), w)
		if err != nil || p.Want.Name != want {
			t.Errorf("have %q (%v), need %q", p.Want.Name, err, want)
		}
		a, err := s.Collect(t.Context(), bundle.Pin{Want: w}, nil, nil)
		if err != nil || a[0].Name != want {
			t.Errorf("have %v (%v), need %q", a, err, want)
		}
	}
	if _, err := s.Resolve(t.Context(), bundle.Want{Name: "x"}); err == nil {
		t.Error("have an answer for a want of no kind")
	}
	if _, err := (&sources.Set{}).Resolve(t.Context(), bundle.Want{File: &bundle.FileWant{}}); err == nil {
		t.Error("have an answer with no source")
	}
}

// The whole arrow with the real sources, for what needs no network.
func TestLockAndPullOfAFile(t *testing.T) {
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := sources.In(store, dir)
	wants := []bundle.Want{{Name: "manifest/f", File: &bundle.FileWant{Path: "f"}}}
	lock, err := bundle.Resolve(t.Context(), digest.Of(nil), 1, wants, nil, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bundle.Collect(t.Context(), lock, set, store, nil)
	if err != nil || len(got["manifest/f"]) != 1 || !store.Has(digest.Of([]byte("text"))) {
		t.Errorf("have %v: %v", got, err)
	}
}
