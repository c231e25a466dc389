package tui

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/golden"
)

// machines are the computers that a script can be played on.
var machines = map[string]func(*testing.T) machine.Machine{
	"rugged":  func(t *testing.T) machine.Machine { return rugged(t) },
	"virtual": func(*testing.T) machine.Machine { return installtest.Machine() },
	"known": func(*testing.T) machine.Machine { // to the roster, as node2
		m := installtest.Machine()
		m.Serial = "SN-2"
		return m
	},
	"nameless": func(*testing.T) machine.Machine { // a disk without a serial number
		m := installtest.Machine()
		m.Disks[0].Serial, m.Disks[0].IDs = "", []string{"scsi-0QEMU_drive-scsi7"}
		return m
	},
	"placed": func(*testing.T) machine.Machine { // a disk that has a place and nothing else
		m := installtest.Machine()
		m.Disks[0].Serial, m.Disks[0].IDs, m.Disks[0].Paths = "", nil, []string{"pci-0000:00:05.0"}
		return m
	},
}

// TestScripts plays the key scripts. A script is the comment of an archive: the
// verbs of stage.do, and "screen F", "answers F", "effects F", which must be
// what the archive's file F holds.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatalf("have %d scripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			script, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: script.Comment}
			var s *stage
			for l := range strings.Lines(string(script.Comment)) {
				verb, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
				var shown string
				switch verb {
				case "", "#":
					continue
				case "sealed":
					s = enact(t, machines[rest](t), installtest.SealedSpec)
					continue
				case "machine":
					s = enact(t, machines[rest](t), installtest.Spec)
					continue
				case "screen":
					shown = s.w.View(Canvas{Width: 80, Height: 24}).Text()
				case "answers":
					raw, err := yaml.Marshal(s.w.answers())
					if err != nil {
						t.Fatal(err)
					}
					shown = string(raw)
				case "effects":
					shown = effectsText(t, s.effects)
				default:
					s.do(t, l)
					continue
				}
				got.Files = append(got.Files, txtar.File{Name: rest, Data: []byte(shown)})
			}
			golden.Equal(t, "scripts/"+filepath.Base(file), txtar.Format(got))
		})
	}
}

// effectsText is a line for each effect; a plan is told by its node and disk.
func effectsText(t *testing.T, effects []Effect) string {
	t.Helper()
	var b strings.Builder
	for _, e := range effects {
		var data any = e
		if i, ok := e.(Install); ok {
			data = map[string]string{"node": i.Plan.Node, "disk": i.Plan.Disk.Path, "erase": i.Erase}
		}
		raw, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", strings.TrimPrefix(fmt.Sprintf("%T", e), "tui."), raw)
	}
	return b.String()
}
