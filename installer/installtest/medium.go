// Package installtest is for tests of the installer: a small but complete medium
// (manifest, Spec, OS image, boot pieces, payload, carried images) in a folder,
// and a machine to install it on. It is the same at every run. No program links
// it.
package installtest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// Spec is the enclave of the medium.
const Spec = `apiVersion: caisson.dev/v1alpha1
kind: Enclave
metadata: {name: demo}
kubernetes: {profile: kubeadm, version: v1.37.2, source: modules}
registry: {engine: distribution, version: v3.1.2}
nodes:
  - name: node1
    role: control-plane
    network: {interface: none, address: 10.20.0.11/24}
  - name: node2
    role: control-plane
    match: {serial: SN-2}
    network: {interface: none, address: 10.20.0.12/24}
`

// Answers are for a node of that enclave.
const Answers = `apiVersion: caisson.dev/v1alpha1
kind: Answers
node: node1
confirm: {erase: any-blank}
after: poweroff
`

// Medium writes a medium into an empty folder. osImage is the node OS (its bytes
// need not be a file system); extra are further files, by path on the medium.
func Medium(dir string, osImage []byte, extra map[string]string) error {
	return medium(dir, osImage, Spec, extra, nil)
}

func medium(dir string, osImage []byte, text string, extra map[string]string, sealed *bundle.SealedSecrets) error {
	blobs := filepath.Join(dir, bundle.BlobDir)
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	m := bundle.Manifest{
		APIVersion: spec.APIVersion, Kind: "Manifest", Enclave: "demo", Release: "demo-0123456789ab", Epoch: 1790000000,
		Caisson: "test", Spec: digest.Of([]byte(text)), Lock: digest.Of([]byte("lock")), Secrets: sealed,
	}
	add := func(path, kind string, b []byte) (bundle.Blob, error) {
		d := digest.Of(b)
		if path == "" {
			path = bundle.BlobDir + "/" + d.Hex()
		}
		m.Files = append(m.Files, bundle.File{Path: path, Size: int64(len(b)), Digest: d, Kind: kind})
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return bundle.Blob{}, err
		}
		return bundle.Blob{Digest: d, Size: int64(len(b))}, os.WriteFile(full, b, 0o644)
	}
	entries, err := imagetest.Fill(imagetest.Dir(blobs))
	if err != nil {
		return err
	}
	files, err := os.ReadDir(blobs)
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(blobs, f.Name()))
		if err != nil {
			return err
		}
		if _, err := add("", "image", b); err != nil {
			return err
		}
	}
	m.Images = entries
	image, err := add("", "os", osImage)
	if err != nil {
		return err
	}
	m.OS = bundle.OSImage{Version: "13.2+20261101.abcdef012345", Image: image.Digest, Size: image.Size,
		HashOffset: image.Size / 2 / 4096 * 4096, RootHash: strings.Repeat("ab", 32), Boot: map[string]bundle.Blob{}}
	for _, piece := range []string{nodeos.Shim, nodeos.SystemdBoot, nodeos.MokManager, nodeos.Initrd, nodeos.Kernel} {
		if m.OS.Boot[piece], err = add("", "os", []byte("boot piece "+piece+"\n")); err != nil {
			return err
		}
	}
	for _, path := range []string{"/etc/caisson/carried", "/usr/local/bin/kubelet", "/var/lib/caisson/carried"} {
		b, err := add("", "payload", bytes.Repeat([]byte(path+"\n"), 1000))
		if err != nil {
			return err
		}
		m.Payload = append(m.Payload, bundle.Payload{Path: path, Name: "test" + path, Mode: 0o755, Digest: b.Digest, Size: b.Size})
	}
	meta := map[string]string{bundle.SpecPath: text, bundle.LockPath: "lock"}
	maps.Copy(meta, extra)
	for _, path := range slices.Sorted(maps.Keys(meta)) {
		if _, err := add(path, "meta", []byte(meta[path])); err != nil {
			return err
		}
	}
	raw, err := canon.JSON(m)
	if err != nil {
		return err
	}
	for path, b := range bundle.SealManifest(raw) {
		if err := os.WriteFile(filepath.Join(dir, path), b, 0o644); err != nil {
			return fmt.Errorf("cannot write the manifest: %w", err)
		}
	}
	return nil
}

// OSImage is n bytes that look like nothing else.
func OSImage(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i>>8) ^ byte(i*7)
	}
	return out
}

// DiskSize is the size of Machine's disk.
const DiskSize = 64 * size.GiB

// Machine is a virtual machine that the enclave fits on, with one blank disk.
func Machine() machine.Machine {
	return machine.Machine{
		Vendor: "QEMU", Product: "Standard PC", Serial: "SN-1", UUID: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
		CPU: "QEMU", CPUs: 2, Memory: 8 * size.GiB, Firmware: machine.UEFI, SecureBoot: "on",
		Disks: []machine.Disk{{Name: "vda", IDs: []string{"virtio-D1"}, Serial: "D1", Size: DiskSize, SectorSize: 512, Transport: "virtio"}},
	}
}
