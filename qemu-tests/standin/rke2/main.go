// Command rke2 stands in for RKE2 in Caisson's own tests; see package node beside it.
package main

import (
	"os"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/qemu-tests/standin/node"
)

// version is the release that it stands in for, set when it is linked.
var version = "v0.0.0"

func main() { os.Exit(node.Main(config.RKE2, version, os.Args[1:])) }
