package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"caisson.dev/caisson/internal/cli/build"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/qemu-tests/vm"
)

// TestMain lets the scripts run the real program under its own name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"caisson": func() { os.Exit(build.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/*.txtar: what a person types and sees.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	medium := filepath.Join(t.TempDir(), "medium.iso")
	writeMedium(t, medium)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		Cmds:          commands,
		UpdateScripts: golden.Updating(), // what cmp compares with
		Condition: func(name string) (bool, error) {
			if name != "ovmf" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			_, err := vm.FindFirmware(vm.UEFI, func(path string) bool { _, err := os.Stat(path); return err == nil })
			return err == nil, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("MEDIUM", medium)
			e.Setenv("CAISSON_CACHE", filepath.Join(e.WorkDir, "cache"))
			return nil
		},
	})
}
