package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"caisson.dev/caisson/internal/cli/build"
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
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("CAISSON_CACHE", filepath.Join(e.WorkDir, "cache"))
			return nil
		},
	})
}
