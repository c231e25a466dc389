// Command release makes a folder of releases out of stand-ins, for tests of
// Caisson alone:
//
//	go run ./qemu-tests/standin/release -o DIR
//
// DIR/VERSION is then what kubernetes.release: {path: DIR} of a Spec takes. RKE2
// and K3s themselves are not in it. Run it in the root of Caisson's source.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/qemu-tests/standin/folder"
)

func main() {
	out := flag.String("o", "", "the folder to make")
	rke2 := flag.String("rke2", "v1.36.3+rke2r1", "the release of RKE2 to stand in for; none leaves it out")
	k3s := flag.String("k3s", "v1.36.2+k3s1", "the release of K3s to stand in for; none leaves it out")
	arch := flag.String("arch", "amd64", "amd64 or arm64")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	for product, tag := range map[release.Product]string{release.RKE2: *rke2, release.K3s: *k3s} {
		if tag == "none" {
			continue
		}
		v, err := release.Parse(product, tag)
		if err == nil {
			err = folder.Make(context.Background(), ".", *out, v, *arch)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(1)
		}
		fmt.Printf("%s/%s: %s\n", *out, v, standin.Mark)
	}
}
