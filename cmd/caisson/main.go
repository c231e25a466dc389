// Command caisson is the low side: it turns one YAML file into one bootable
// installer ISO. All it does is in internal/cli/build.
package main

import (
	"os"

	"caisson.dev/caisson/internal/cli/build"
)

func main() { os.Exit(build.Main(os.Args[1:], os.Stdout, os.Stderr)) }
