package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/spec"
)

var specDigest = digest.Of([]byte("spec"))

// asked is a source of files whose content is their URL; it counts questions.
type asked struct{ resolved, collected atomic.Int32 }

var badSource = fault.Define("TEST-ONLY", fault.Source)

func (a *asked) Resolve(_ context.Context, w bundle.Want) (bundle.Pin, error) {
	a.resolved.Add(1)
	if strings.Contains(w.File.URL, "bad") {
		return bundle.Pin{}, badSource.New("cannot get %s", w.File.URL)
	}
	text := w.File.URL + w.File.Path
	return bundle.Pin{File: &bundle.FilePin{Size: int64(len(text)), Digest: digest.Of([]byte(text))}}, nil
}

func (a *asked) Collect(ctx context.Context, p bundle.Pin, s *bundle.Store, _ bundle.Progress) ([]bundle.Artifact, error) {
	a.collected.Add(1)
	d, n, err := s.Put(ctx, strings.NewReader(p.Want.File.URL+p.Want.File.Path), p.File.Digest)
	return []bundle.Artifact{{Name: p.Want.Name, Digest: d, Size: n}}, err
}

func url(name, u string) bundle.Want {
	return bundle.Want{Name: name, File: &bundle.FileWant{URL: u}}
}

func TestResolveIsSortedAndKeepsOldPins(t *testing.T) {
	src := &asked{}
	wants := []bundle.Want{url("b", "http://x/b"), url("a", "http://x/a"), url("b", "http://x/b"),
		{Name: "local", File: &bundle.FileWant{Path: "/p"}}}
	first, err := bundle.Resolve(t.Context(), specDigest, 5, wants, nil, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range first.Pins {
		names = append(names, p.Want.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "local"}, names); diff != "" {
		t.Error(diff)
	}
	wants[1].File = &bundle.FileWant{URL: "http://x/a2"}
	src.resolved.Store(0)
	second, err := bundle.Resolve(t.Context(), specDigest, 5, wants, &first, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := src.resolved.Load(); n != 2 {
		t.Errorf("have %d questions, need 2: the changed want and the local file", n)
	}
	if second.Pins[0].File.Digest == first.Pins[0].File.Digest || second.Pins[1].File.Digest != first.Pins[1].File.Digest {
		t.Errorf("have pins %v after %v", second.Pins, first.Pins)
	}
	if first.Covers(wants) == nil || second.Covers(wants) != nil {
		t.Errorf("have Covers %v and %v, need only the second Lock to cover the wants", first.Covers(wants), second.Covers(wants))
	}
}

func TestResolveTellsEverything(t *testing.T) {
	wants := []bundle.Want{url("c", "http://bad/c"), url("a", "http://bad/a"), url("b", "http://x/b")}
	_, err := bundle.Resolve(t.Context(), specDigest, 5, wants, nil, &asked{}, nil)
	var have []string
	for _, f := range fault.All(err) {
		have = append(have, f.What)
	}
	if diff := cmp.Diff([]string{"cannot get http://bad/a", "cannot get http://bad/c"}, have); diff != "" {
		t.Error(diff)
	}
	_, err = bundle.Resolve(t.Context(), specDigest, 5, []bundle.Want{url("a", "http://bad/shared"), url("b", "http://bad/shared")}, nil, &asked{}, nil)
	if n := len(fault.All(err)); n != 1 {
		t.Errorf("have %v, need what two wants share said once", err)
	}
	_, err = bundle.Resolve(t.Context(), specDigest, 5, []bundle.Want{url("a", "http://x/1"), url("a", "http://x/2"), {Name: "none"}}, nil, &asked{}, nil)
	if n := len(fault.All(err)); !bundle.WantConflict.Is(err) || n != 2 {
		t.Errorf("have %v, need two WANT-CONFLICT", err)
	}
}

func TestCollect(t *testing.T) {
	s := newStore(t)
	src := &asked{}
	var wants []bundle.Want
	for i := range 20 {
		wants = append(wants, url(fmt.Sprintf("w%02d", i), fmt.Sprintf("http://x/%d", i)))
	}
	l, err := bundle.Resolve(t.Context(), specDigest, 5, wants, nil, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bundle.Collect(t.Context(), l, src, s, nil)
	if err != nil || len(got) != 20 || got["w07"][0].Digest != digest.Of([]byte("http://x/7")) {
		t.Fatalf("have %v: %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src.collected.Store(0)
	_, err = bundle.Collect(ctx, l, src, s, nil)
	if !bundle.Interrupted.Is(err) || fault.ExitStatus(err) != int(fault.Stopped) || !errors.Is(err, context.Canceled) {
		t.Errorf("have %v, need INTERRUPTED", err)
	}
	if n := src.collected.Load(); n != 0 {
		t.Errorf("have %d collected after the end, need 0", n)
	}
}

func TestLockIsBoundToItsSpec(t *testing.T) {
	l := bundle.Lock{Spec: specDigest}
	if err := l.For(spec.Loaded{Digest: specDigest}); err != nil {
		t.Error(err)
	}
	other := digest.Of([]byte("other"))
	err := l.For(spec.Loaded{Digest: other})
	if !bundle.LockStale.Is(err) || !strings.Contains(err.Error(), string(other)) || !strings.Contains(err.Error(), string(specDigest)) {
		t.Errorf("have %v, need LOCK-STALE with both digests", err)
	}
}

func TestLockRoundTrip(t *testing.T) {
	l := bundle.Lock{APIVersion: spec.APIVersion, Kind: "Lock", Spec: specDigest, Epoch: 1700000000, Pins: []bundle.Pin{
		{Want: url("a", "https://x/a"), File: &bundle.FilePin{Size: 3, Digest: digest.Of([]byte("abc"))}},
		{Want: bundle.Want{Name: "b", Module: &bundle.ModuleWant{Path: "example.com/m", Version: "v1.2.3", Programs: map[string]string{"m": "example.com/m"}}},
			Module: &bundle.ModulePin{GoMod: "module x\n", GoSum: "x\n", Toolchain: "go1.26.8"}},
	}}
	path := filepath.Join(t.TempDir(), "caisson.lock")
	if err := bundle.WriteLock(path, l); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "caisson.lock", raw)
	back, err := bundle.ReadLock(raw)
	if diff := cmp.Diff(l, back); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if l.Digest() != digest.Of(raw) {
		t.Errorf("have digest %s, need that of the file, %s", l.Digest(), digest.Of(raw))
	}
}

func TestReadLockRefuses(t *testing.T) {
	const head = `{"apiVersion":"caisson.dev/v1alpha1","kind":"Lock","spec":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","epoch":1,"pins":[`
	const d = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	pin := func(name string) string {
		return `{"want":{"name":"` + name + `","file":{"url":"https://x/"}},"file":{"size":1,"digest":"` + d + `"}}`
	}
	image := func(pinned string) string {
		return `{"want":{"name":"a","image":{"ref":"a/b:1","registry":true,"digest":"` + d + `"}},"image":{"mediaType":"x","size":1,"digest":"` + pinned + `"}}]}`
	}
	tests := []struct{ summary, text string }{
		{"nothing", ""},
		{"another digest than the Spec's", head + image(strings.Replace(d, "e3", "e4", 1))},
		{"not a Lock", `{"apiVersion":"caisson.dev/v1alpha1","kind":"Enclave"}`},
		{"an unknown field", `{"apiVersion":"caisson.dev/v1alpha1","kind":"Lock","shoe":1}`},
		{"wrong order", head + pin("b") + "," + pin("a") + "]}"},
		{"a name twice", head + pin("a") + "," + pin("a") + "]}"},
		{"data after it", head + "]} x"},
		{"a want with no pin", head + `{"want":{"name":"a","file":{"url":"https://x/"}}}]}`},
		{"a pin of another kind", head + `{"want":{"name":"a","file":{"url":"https://x/"}},"image":{"mediaType":"x","size":1,"digest":"` + d + `"}}]}`},
		{"a checksum file without a digest", head + `{"want":{"name":"a","file":{"url":"https://x/","checksum":"https://x/s"}},"file":{"size":1,"digest":"` + d + `"}}]}`},
		{"a digest of no checksum file", head + `{"want":{"name":"a","file":{"url":"https://x/"}},"file":{"size":1,"digest":"` + d + `","checksums":"` + d + `"}}]}`},
		{"a short digest", head + `{"want":{"name":"a","file":{"url":"https://x/"}},"file":{"size":1,"digest":"sha256:00"}}]}`},
	}
	for _, tt := range tests {
		if l, err := bundle.ReadLock([]byte(tt.text)); err == nil {
			t.Errorf("%s: have %v, need a fault", tt.summary, l)
		} else if !bundle.LockDamaged.Is(err) {
			t.Errorf("%s: have %v, need LOCK-DAMAGED", tt.summary, err)
		}
	}
	if _, err := bundle.ReadLock([]byte(head + `{"want":{"name":"a"}}]}`)); !bundle.WantConflict.Is(err) {
		t.Errorf("a want of no kind: have %v, need WANT-CONFLICT", err)
	}
	if _, err := bundle.ReadLock([]byte(head + image(d))); err != nil {
		t.Error(err)
	}
	if _, err := bundle.ReadLock([]byte(head + pin("a") + "," + pin("b") + "]}")); err != nil {
		t.Error(err)
	}
}

func FuzzReadLock(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"caisson.dev/v1alpha1","kind":"Lock","pins":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := bundle.ReadLock(raw)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "l")
		if err := bundle.WriteLock(path, l); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := bundle.ReadLock(again); err != nil || back.Digest() != l.Digest() {
			t.Fatalf("have %v after a round trip: %v", back, err)
		}
	})
}
