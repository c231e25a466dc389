package build

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// TestImageTwice builds the whole image from real packages, twice, and demands
// equal bytes. It takes minutes, root or a user namespace, and a folder that
// CAISSON_NODEOS_INPUTS names: debs/*.deb, boot/<piece>, ignition, caisson-node.
func TestImageTwice(t *testing.T) {
	inputs := os.Getenv("CAISSON_NODEOS_INPUTS")
	if inputs == "" {
		t.Skip("CAISSON_NODEOS_INPUTS names no folder of packages")
	}
	var first Output
	for i := range 2 {
		dir := cmp.Or(os.Getenv("CAISSON_NODEOS_STORE"), t.TempDir())
		store, err := bundle.OpenStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		put := func(name, path string) bundle.Artifact {
			d, n, err := store.PutFile(t.Context(), path, "")
			if err != nil {
				t.Fatal(err)
			}
			return bundle.Artifact{Name: name, Digest: d, Size: n}
		}
		in := Input{Epoch: 1790000000, Node: filepath.Join(inputs, "caisson-node"),
			Ignition: put(nodeos.Ignition, filepath.Join(inputs, "ignition")),
			Enclave:  spec.Enclave{Classification: spec.Classification{Label: "UNCLASSIFIED"}}}
		debs, err := filepath.Glob(filepath.Join(inputs, "debs", "*.deb"))
		if err != nil || len(debs) == 0 {
			t.Fatal("no packages", err)
		}
		for _, f := range debs {
			name, _, _ := strings.Cut(filepath.Base(f), "_")
			in.Debs = append(in.Debs, put(nodeos.WantBase+"/"+name, f))
		}
		pieces, err := filepath.Glob(filepath.Join(inputs, "boot", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range pieces {
			in.Boot = append(in.Boot, put(nodeos.WantBoot+"/"+filepath.Base(f), f))
		}
		out, err := Image(t.Context(), in, store, func(name string, done, total int64) { t.Log(name, done, total) })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", out.OS)
		if os.Getenv("CAISSON_NODEOS_STORE") != "" {
			return // once, to look at
		}
		if i == 0 {
			first = out
		} else if first.OS.Image != out.OS.Image || first.OS.RootHash != out.OS.RootHash || first.Live[nodeos.Initrd] != out.Live[nodeos.Initrd] {
			t.Errorf("two builds of one input differ:\n%+v\n%+v", first, out)
		}
	}
}
