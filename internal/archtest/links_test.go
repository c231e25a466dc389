package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// linked lists every package that the package in folder links, with one chain of
// imports that leads there, as the go command sees it.
func linked(t *testing.T, folder string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", "./"+folder)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps ./%s: %v\n%s", folder, err, stderr.String())
	}
	imports := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		imports[p.ImportPath] = p.Imports
	}
	return chains(imports, module+"/"+folder)
}

// chains is the shortest way from a package to each that it links.
func chains(imports map[string][]string, from string) map[string][]string {
	found := map[string][]string{from: {from}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range imports[queue[0]] {
			if found[next] == nil {
				found[next] = append(slices.Clone(found[queue[0]]), next)
				queue = append(queue, next)
			}
		}
	}
	return found
}

// refuse fails for each linked package for which bad holds, with the chain.
func refuse(t *testing.T, folder string, bad func(path string) bool) {
	t.Helper()
	for path, chain := range linked(t, folder) {
		if bad(path) {
			t.Errorf("%s links %s:\n\t%s", folder, path, strings.Join(chain, "\n\t"))
		}
	}
}

// TestNodeBinaryHasNoDownloader: the program on the node links neither our
// downloaders nor a registry client that can dial out, so that no change of
// configuration can make it fetch. (It speaks HTTP to the node's own services
// for readiness, with net/http itself.)
func TestNodeBinaryHasNoDownloader(t *testing.T) {
	refuse(t, "cmd/caisson-node", func(path string) bool {
		for _, p := range []string{
			module + "/sources", module + "/internal/fetch", module + "/internal/assemble", module + "/nodeos/build", module + "/qemu-tests",
			module + "/profiles/rancher/registries/proof", "github.com/rancher/wharfie/pkg/registries",
			"github.com/google/go-containerregistry/pkg/v1/remote", "github.com/google/go-containerregistry/pkg/crane",
			"github.com/google/go-containerregistry/pkg/v1/google", "github.com/google/go-containerregistry/pkg/v1/daemon",
			"github.com/invopop/jsonschema", "github.com/mholt/archives",
		} {
			if beneath(path, p) {
				return true
			}
		}
		return false
	})
}

// TestBuildHasTheVendorsJudge: the library that RKE2 and K3s read registries.yaml
// with is asked on the low side, where a medium is made.
func TestBuildHasTheVendorsJudge(t *testing.T) {
	if linked(t, "internal/assemble")["github.com/rancher/wharfie/pkg/registries"] == nil {
		t.Error("nobody proves a registries.yaml before a medium is made")
	}
}

// TestTUICannotTouchDisks: the screens hand out Answers and show Plans. They
// link nothing that writes a disk, runs a program or makes system calls of its own.
func TestTUICannotTouchDisks(t *testing.T) {
	if !hasPackage(sources(t), "tui") {
		t.Fatal("there is no package tui: this rule has nothing to hold")
	}
	refuse(t, "tui", func(path string) bool {
		for _, p := range []string{"installer/apply", "installer/record", "internal/system", "internal/cli", "iso", "sources"} {
			if beneath(path, module+"/"+p) {
				return true
			}
		}
		return false
	})
	for _, s := range sources(t) {
		if !beneath(s.folder(), "tui") || s.isTest() {
			continue
		}
		for _, path := range s.imports() {
			if path == "os/exec" || path == "syscall" || beneath(path, "golang.org/x/sys") {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
	}
}

// TestSchemaGeneratorStaysInTests: what reads source code to write schemas is in
// no program.
func TestSchemaGeneratorStaysInTests(t *testing.T) {
	refuse(t, "cmd/caisson", func(path string) bool { return beneath(path, "github.com/invopop/jsonschema") })
}
