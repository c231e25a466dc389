// Command caisson-node is the target's side: on the booted medium it installs
// the machine, on the installed node it tells how the node is. All it does is in
// internal/cli/node.
package main

import (
	"os"

	"caisson.dev/caisson/internal/cli/node"
)

func main() { os.Exit(node.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
