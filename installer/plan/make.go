package plan

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/disk"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// NodeDir holds what a node knows of itself.
const NodeDir = bundle.NodeDir

// Bundle is the view of a verified medium that planning needs; *bundle.Verified
// is one.
type Bundle interface {
	images.Reader
	Manifest() bundle.Manifest
	Digest() digest.Digest
	Raw() []byte
}

// Input is all that a plan depends on.
type Input struct {
	Machine machine.Machine
	Enclave spec.Enclave
	Spec    []byte       // the Spec's bytes, kept on the node
	Answers spec.Answers // complete
	Bundle  Bundle
	Profile profiles.Profile
	Engine  images.Engine
	Kernel  []string // words that the installed node's kernel line has beside its own
}

// Make decides. Its error joins every reason that stands against the install.
func Make(in Input) (Plan, error) {
	if err := errors.Join(append(incomplete(in.Answers), machineFaults(in)...)...); err != nil {
		return Plan{}, err
	}
	m := in.Bundle.Manifest()
	blobs, err := blobFiles(in.Bundle, m.Images)
	if err != nil {
		return Plan{}, err
	}
	request := layout(in, m, blobs)
	chosen, err := choose(in.Machine, in.Answers.Disk, disk.Least(request))
	if err != nil {
		return Plan{}, err
	}
	table, err := divide(chosen, in.Answers.Disk, request)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Enclave: m.Enclave, Release: m.Release, Manifest: in.Bundle.Digest(), OS: m.OS.Version,
		Node: in.Answers.Name, Role: in.Answers.Role, After: in.Answers.After,
		Machine: identity(in.Machine), Disk: target(chosen), Table: table,
	}
	if p.After == "" {
		p.After = spec.DefaultAfter
	}
	if err := p.addSteps(in, m, blobs); err != nil {
		return Plan{}, err
	}
	return p, p.seal()
}

// blobFiles are the image blobs as files in the node's store.
func blobFiles(r images.Reader, entries []bundle.ImageEntry) ([]File, error) {
	blobs, _, err := images.Dedupe(r, entries)
	if err != nil {
		return nil, err
	}
	out := make([]File, 0, len(blobs))
	for _, b := range blobs {
		out = append(out, File{Path: images.StoreDir + "/" + b.Digest.Hex(), Mode: 0o444, Size: b.Size, Digest: b.Digest})
	}
	return out, nil
}

func filesSize(files []File) size.Bytes {
	var n size.Bytes
	for _, f := range files {
		n += size.Bytes(f.Size).AlignUp(4 * size.KiB)
	}
	return n
}

func payloadSize(payload []bundle.Payload) size.Bytes {
	var n size.Bytes
	for _, f := range payload {
		n += size.Bytes(f.Size).AlignUp(4 * size.KiB)
	}
	return n
}

// addSteps writes down the install, in order. The order is what makes an
// interruption harmless: between Clear and Activate the disk has no table, so
// that nothing on it boots and the installer finds it blank.
func (p *Plan) addSteps(in Input, m bundle.Manifest, blobs []File) error {
	config, err := render(in, m)
	if err != nil {
		return err
	}
	view, err := in.Engine.View(in.Bundle, m.Images)
	if err != nil {
		return err
	}
	viewDigest, err := canon.Digest(view)
	if err != nil {
		return err
	}
	p.view = view
	answers, err := canon.JSON(in.Answers)
	if err != nil {
		return err
	}
	loader, entry, err := p.boot(m.OS, in.Enclave.OS.SerialConsole(), in.Kernel)
	if err != nil {
		return err
	}
	device := p.Disk.Path
	payload, err := payloadFiles(m.Payload)
	if err != nil {
		return err
	}
	_, _, espSize := disk.Extent(p.Table, nodeos.ESP)
	_, _, stateSize := disk.Extent(p.Table, nodeos.State)
	tableDigest, err := canon.Digest(p.Table)
	if err != nil {
		return err
	}
	configFile := p.own("ignition.json", 0o600, config)
	own := func(name string, b []byte) File { return p.own(NodeDir+"/"+name, 0o600, b) }
	given, err := secretSteps(in, m, device)
	if err != nil {
		return err
	}
	p.Steps = slices.Concat([]Step{
		{Kind: Clear, Device: device, Size: int64(p.Disk.Size), Destroys: destroys(p.Disk)},
		{Kind: Divide, Device: device, Digest: tableDigest},
		{Kind: MakeFS, Device: device, Partition: nodeos.ESP, FS: "vfat", UUID: volumeID(p.Table), Size: espSize},
		{Kind: MakeFS, Device: device, Partition: nodeos.State, FS: "ext4", UUID: stateUUID(p.Table), Size: stateSize},
		{Kind: WriteImage, Device: device, Partition: nodeos.SlotA, Digest: m.OS.Image, Size: m.OS.Size},
		{Kind: StateTree, Device: device, Partition: nodeos.State, Dirs: stateDirs()},
		{Kind: CopyFiles, Device: device, Partition: nodeos.State, Files: payload},
		{Kind: LayImages, Device: device, Partition: nodeos.State, Path: in.Engine.Service().Root, Digest: viewDigest, Files: blobs},
		{Kind: Configure, Device: device, Partition: nodeos.State, Digest: configFile.Digest, Size: configFile.Size},
	}, given, []Step{
		{Kind: WriteESP, Device: device, Partition: nodeos.ESP, Files: loader},
		{Kind: Record, Device: device, Partition: nodeos.State, Files: []File{
			p.own(NodeDir+"/manifest.json", 0o644, in.Bundle.Raw()), own("caisson.yaml", in.Spec), own("answers.json", answers),
		}},
		{Kind: BootEntry, Device: device, Partition: nodeos.ESP, Files: []File{entry}},
		{Kind: Activate, Device: device, Digest: tableDigest},
	})
	return nil
}

// render asks the profile for the node's configuration and holds it against
// Ignition's own validator and our rule: no source but data.
func render(in Input, m bundle.Manifest) ([]byte, error) {
	config, err := in.Profile.Render(profiles.RenderInput{
		Enclave: in.Enclave, Answers: in.Answers, Manifest: m, Registry: in.Engine.Service(),
	})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	return raw, checkConfig(raw)
}

func payloadFiles(payload []bundle.Payload) ([]File, error) {
	out := make([]File, 0, len(payload))
	for _, f := range payload {
		if path.Clean(f.Path) != f.Path || !writable(f.Path) {
			return nil, PayloadPath.New("cannot put %s at %q: the node OS is read-only there, need a path below one of %s", f.Name, f.Path, strings.Join(writableDirs(), ", ")).
				Hint("the medium was made wrong: its maker must correct the profile that names this path")
		}
		mode := f.Mode & fs.ModePerm
		if mode == 0 {
			mode = 0o644
		}
		out = append(out, File{Path: f.Path, Mode: mode, Size: f.Size, Digest: f.Digest})
	}
	return out, nil
}

// volumeID is the ESP's FAT volume id (eight hex digits), from its GUID.
func volumeID(t gpt.Table) string {
	g := t.Partitions[0].GUID.String()
	return g[len(g)-8:]
}

// stateUUID is the ext4 UUID of STATE: the partition's own GUID.
func stateUUID(t gpt.Table) string { return partUUID(t, nodeos.State) }
