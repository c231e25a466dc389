// Package gomod is the source of programs compiled from Go modules. Resolve
// lets the go command tidy a throw-away module that requires the wanted one and
// keeps its go.mod and go.sum: together they fix every source file (Go modules
// reference, "Module authentication"). Collect compiles exactly that, with
// -mod=readonly, one compile at a time, and remembers the result in the Store.
//
// The go command does all downloading and checking of modules; nothing here
// speaks to a module proxy. It is for the low side only.
package gomod

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/fetch"
)

// Source compiles programs; it implements bundle.Source for ModuleWants.
type Source struct {
	Store *bundle.Store // scratch folders of Resolve
	Go    string        // the go command; "" means the one in PATH
	// Shared, if set, keeps what was found of the go command.
	Shared *Shared
	// Every is the pause between two lines of progress while one compile runs;
	// 0 means 10 s.
	Every time.Duration
	// Fetch says how patient to be with a module proxy, and Limit how long one
	// download may take; nil and 0 mean the default.
	Fetch *fetch.Client
	Limit time.Duration
}

// Resolve pins the module, everything it depends on, and the compiler.
func (s Source) Resolve(ctx context.Context, w bundle.Want) (bundle.Pin, error) {
	tools, err := s.find(ctx)
	if err != nil {
		return bundle.Pin{}, err
	}
	dir, err := s.Store.TempDir("module")
	if err != nil {
		return bundle.Pin{}, err
	}
	defer os.RemoveAll(dir)
	m := *w.Module
	f, err := draft(w.Name, m, tools.language())
	if err != nil {
		return bundle.Pin{}, err
	}
	if err := tools.follow(ctx, dir, m, f); err != nil {
		return bundle.Pin{}, err
	}
	if err := writeMod(dir, f); err != nil {
		return bundle.Pin{}, err
	}
	if out, err := tools.download(ctx, dir, m, "mod", "tidy"); err != nil {
		return bundle.Pin{}, unresolved(ctx, m, out, err)
	}
	pin := bundle.ModulePin{Toolchain: tools.version}
	for name, to := range map[string]*string{"go.mod": &pin.GoMod, "go.sum": &pin.GoSum} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return bundle.Pin{}, unresolved(ctx, m, "", err)
		}
		*to = string(raw)
	}
	return bundle.Pin{Want: w, Module: &pin}, nil
}

// draft is the module to tidy: it requires the wanted modules and names each
// program as a tool, so that go.sum comes to hold all that a build needs.
func draft(name string, m bundle.ModuleWant, language string) (*modfile.File, error) {
	f := &modfile.File{Syntax: &modfile.FileSyntax{}}
	if err := f.AddModuleStmt("caisson.dev/payload/" + elementOf(name)); err != nil {
		return nil, err
	}
	if err := f.AddGoStmt(language); err != nil {
		return nil, err
	}
	for path, version := range requires(m) {
		if err := module.Check(path, version); err != nil {
			return nil, ModuleUnresolved.New("cannot require module %s %s: %w", path, version, err).
				Hint("write the version as the module's tag has it, as in v1.2.3")
		}
		f.AddNewRequire(path, version, false)
	}
	f.SetRequire(slices.SortedFunc(slices.Values(f.Require), func(a, b *modfile.Require) int {
		return strings.Compare(a.Mod.Path, b.Mod.Path)
	}))
	for _, pkg := range packages(m) {
		if err := module.CheckImportPath(pkg); err != nil {
			return nil, ModuleUnresolved.New("cannot compile package %q of module %s: %w", pkg, m.Path, err)
		}
		if err := f.AddTool(pkg); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// follow takes over what the module's own go.mod says and the go command heeds
// only in a main module: its GODEBUG settings, and, with Staging, each module
// that it takes from a folder of its own repository, as published.
func (t tools) follow(ctx context.Context, dir string, m bundle.ModuleWant, f *modfile.File) error {
	path, err := t.downloadMod(ctx, dir, m)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// Not ParseLax: it leaves out replacements, and they are what is wanted here.
	theirs, err := modfile.Parse(path, raw, nil)
	if err != nil {
		return ModuleUnresolved.New("cannot read go.mod of %s %s: %w", m.Path, m.Version, err)
	}
	for _, g := range theirs.Godebug {
		if err := f.AddGodebug(g.Key, g.Value); err != nil {
			return err
		}
	}
	if m.Staging == "" {
		return nil
	}
	for _, r := range theirs.Replace {
		if r.New.Version != "" {
			continue
		}
		if err := f.AddReplace(r.Old.Path, "", r.Old.Path, m.Staging); err != nil {
			return err
		}
	}
	return nil
}

func writeMod(dir string, f *modfile.File) error {
	f.Cleanup()
	raw, err := f.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), raw, 0o644)
}

// requires is every module at its version.
func requires(m bundle.ModuleWant) map[string]string {
	all := maps.Clone(m.Also)
	if all == nil {
		all = map[string]string{}
	}
	all[m.Path] = m.Version
	return all
}

// packages is every package to compile, once, sorted.
func packages(m bundle.ModuleWant) []string {
	return slices.Compact(slices.Sorted(maps.Values(m.Programs)))
}

// programs is every artifact name, sorted.
func programs(m bundle.ModuleWant) []string { return slices.Sorted(maps.Keys(m.Programs)) }

// purl is the package URL of the module that holds pkg (purl-spec, type golang).
func purl(m bundle.ModuleWant, pkg string) string {
	best := ""
	for path := range requires(m) {
		if (pkg == path || strings.HasPrefix(pkg, path+"/")) && len(path) > len(best) {
			best = path
		}
	}
	return "pkg:golang/" + best + "@" + requires(m)[best]
}

// elementOf makes one element of a module path of any want's name.
func elementOf(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-.")
}

// keyOf names everything that the compiled bytes depend on.
func keyOf(p bundle.Pin, t tools) (string, error) {
	d, err := canon.Digest(struct {
		Pin   bundle.ModulePin
		Want  bundle.ModuleWant
		Flags []string
		Env   []string
		CC    string
	}{*p.Module, *p.Want.Module, t.flags(*p.Want.Module), t.fixedEnv(*p.Want.Module), t.cc})
	return "gomod " + string(d), err
}
