// Package catalog lists the registry engines by the name that registry.engine
// has in a Spec. It is its own package because the engines import images. Low
// side and node both use it.
package catalog

import (
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/images/zot"
)

// All is every engine, the default first.
func All() []images.Engine { return []images.Engine{zot.Engine{}, distribution.Engine{}} }

// Get finds an engine by its name.
func Get(name string) (images.Engine, error) {
	var names []string
	for _, e := range All() {
		if e.Name() == name {
			return e, nil
		}
		names = append(names, e.Name())
	}
	return nil, engineUnknown.New("cannot find the registry engine %q: have %s", name, strings.Join(names, ", ")).
		Hint("set registry.engine to one of them")
}
