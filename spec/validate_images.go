package spec

import (
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"

	"caisson.dev/caisson/internal/digest"
)

func (p *problems) images(images []Image) {
	seen := map[string]int{}
	for i, image := range images {
		at := item("images", i)
		if have, need := refProblem(image.Ref); have != "" {
			p.bad(child(at, "ref"), have, need, "")
		} else if full, err := NormalizeRef(image.Ref); err == nil {
			if first, dup := seen[full]; dup {
				p.clash(child(at, "ref"), full+", which "+item("images", first)+" is already", "each image once", "")
			} else {
				seen[full] = i
			}
		}
		p.imageSource(at, image)
	}
}

// imageSource demands at most one place that the image comes from; none means
// the registry that its name says.
func (p *problems) imageSource(at string, image Image) {
	var given []string
	if image.Layout != "" {
		given = append(given, "layout")
	}
	if image.Archive != "" {
		given = append(given, "archive")
	}
	if image.Module != nil {
		given = append(given, "module")
		p.moduleImage(child(at, "module"), *image.Module)
	}
	if len(given) > 1 {
		p.clash(at, strings.Join(given, " and ")+" as sources", "one of them, or none for the registry in ref", "")
	}
	if image.Digest == "" {
		return
	}
	if _, err := digest.Parse(image.Digest); err != nil {
		p.bad(child(at, "digest"), quoted(image.Digest), "sha256: and 64 lower-case hex digits", "")
	}
	if image.Module != nil {
		p.clash(child(at, "digest"), "a digest for an image that is compiled here", "none: the module's version and checksum pin it", "")
	}
}

func (p *problems) moduleImage(at string, m ModuleImage) {
	if err := module.CheckPath(m.Path); err != nil {
		p.bad(child(at, "path"), quoted(m.Path), "a Go module path such as example.com/tool/v2", "")
		return
	}
	if err := module.Check(m.Path, m.Version); err != nil {
		p.bad(child(at, "version"), quoted(m.Version), "a release of "+m.Path+" in full, as in v1.2.3 (Go modules reference, \"Versions\")", "the major version must agree with the /vN at the end of the path")
	}
	if m.Package != "" && m.Package != m.Path && !strings.HasPrefix(path.Clean(m.Package), m.Path+"/") {
		p.bad(child(at, "package"), quoted(m.Package), "a package of the module "+m.Path, "")
	}
}

func (p *problems) manifests(files []string) {
	seen := map[string]bool{}
	for i, name := range files {
		at := item("manifests", i)
		clean := filepath.ToSlash(filepath.Clean(name))
		switch ext := filepath.Ext(name); {
		case name == "" || !filepath.IsLocal(name):
			p.bad(at, quoted(name), "a file in or below the folder of the Spec, named from there", "copy it beside the Spec, so that both travel together")
		case ext != ".yaml" && ext != ".yml":
			p.bad(at, quoted(name), "a file whose name ends in .yaml or .yml", "")
		case seen[clean]:
			p.clash(at, quoted(name)+" a second time", "each file once", "")
		}
		seen[clean] = true
	}
}
