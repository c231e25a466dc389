// Package build makes the node OS image out of pinned Debian packages: one
// read-only squashfs that is the live root on the medium and the content of a
// slot on the disk, with its dm-verity tree behind it, and the kernel, initramfs
// and boot loaders that start it.
//
// It works in two stages, each remembered in the Store. The first runs
// mmdebstrap on the packages and depends on nothing but them and the files of
// this folder (tree/, hooks/); the second streams that tree through a filter
// that drops what must not be in an image and adds Caisson's programs. A new
// caisson-node repeats only the second. The same input gives the same bytes.
//
// It runs on the low side only, and needs mmdebstrap, dpkg, tar and mksquashfs;
// what is in the image and how it boots is said in package nodeos.
package build

import (
	"context"
	"fmt"
	"slices"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// recipe is the version of the way images are made; a change of what the code
// here does to the same input counts it up.
const recipe = 2

// Input is all that an image depends on.
type Input struct {
	Debs     []bundle.Artifact // of nodeos.WantBase: every package, checked by the Store
	Boot     []bundle.Artifact // of nodeos.WantBoot
	Ignition bundle.Artifact   // nodeos.Ignition
	Node     string            // path of the caisson-node program
	Epoch    int64             // SOURCE_DATE_EPOCH: no time in the image is later
	Enclave  spec.Enclave
	// Extra are further files by absolute path in the image (trusted keys); root
	// owns them, mode 0644.
	Extra map[string][]byte
}

// Output is the image and what boots it.
type Output struct {
	OS bundle.OSImage
	// Live is what the medium boots with, by the names of package nodeos:
	// vmlinuz, initrd, shim, mokmanager, grub, grub-rescue, grub-hybrid.
	Live map[string]bundle.Artifact
}

// Image makes the image, or recalls it. Faults: OS-TOOL-MISSING and
// OS-BUILD-RIGHTS before any work, OS-BUILD-FAILED with the tool's last words.
func Image(ctx context.Context, in Input, store *bundle.Store, progress bundle.Progress) (Output, error) {
	boot, err := bootPieces(in.Boot)
	if err != nil {
		return Output{}, err
	}
	base, from, err := makeBase(ctx, in, store, progress)
	if err != nil {
		return Output{}, err
	}
	made, err := makeImage(ctx, in, base, from, store, progress)
	if err != nil {
		return Output{}, err
	}
	out := Output{OS: made.os, Live: map[string]bundle.Artifact{nodeos.Kernel: made.kernel, nodeos.Initrd: made.initrd}}
	for name, a := range boot {
		if name != nodeos.SystemdBoot {
			out.Live[name] = a
		}
	}
	out.OS.Boot = map[string]bundle.Blob{}
	for name, a := range map[string]bundle.Artifact{
		nodeos.Kernel: made.kernel, nodeos.Initrd: made.initrd, nodeos.Shim: boot[nodeos.Shim],
		nodeos.MokManager: boot[nodeos.MokManager], nodeos.SystemdBoot: boot[nodeos.SystemdBoot],
	} {
		out.OS.Boot[name] = bundle.Blob{Digest: a.Digest, Size: a.Size}
	}
	return out, nil
}

// bootPieces finds each piece by name; all must be there.
func bootPieces(artifacts []bundle.Artifact) (map[string]bundle.Artifact, error) {
	out := map[string]bundle.Artifact{}
	for _, name := range []string{nodeos.Shim, nodeos.MokManager, nodeos.GRUB, nodeos.SystemdBoot,
		nodeos.GRUBRescue, nodeos.GRUBHybrid} {
		i := slices.IndexFunc(artifacts, func(a bundle.Artifact) bool { return a.Name == nodeos.WantBoot+"/"+name })
		if i < 0 {
			return nil, inputMissing.New("cannot build the node OS: have %d boot files, need %s/%s among them", len(artifacts), nodeos.WantBoot, name).
				Hint("this is a defect of caisson: please report it with your Spec")
		}
		out[name] = artifacts[i]
	}
	return out, nil
}

// key names a stage and all that it depends on.
func key(stage string, parts any) (string, digest.Digest, error) {
	d, err := canon.Digest(struct {
		Recipe int
		Parts  any
	}{recipe, parts})
	return fmt.Sprintf("nodeos %s %s", stage, d), d, err
}

// version is the image's name: Debian's release, the time of the Lock and the
// digest of all inputs. It sorts by age, and is safe in file names and boot
// loader entries (no "+", which starts a boot counter).
func version(debian string, epoch int64, inputs digest.Digest) string {
	return fmt.Sprintf("%s-%s.%s", debian, time.Unix(epoch, 0).UTC().Format("20060102150405"), inputs.Short())
}
