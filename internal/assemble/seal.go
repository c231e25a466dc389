package assemble

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/version"
	"caisson.dev/caisson/nodeos"
	nodeosbuild "caisson.dev/caisson/nodeos/build"
)

// Programs are the paths of the programs that go onto the medium.
type Programs struct {
	Node  string // caisson-node: installer and node agent, inside the OS image
	Pause string // caisson-pause: the pods' sandbox process
}

// Input is everything that a medium is made of.
type Input struct {
	Choice    Choice
	Lock      bundle.Lock
	Artifacts map[string][]bundle.Artifact // by Want name, from bundle.Collect
	Programs  Programs
	Answers   []byte // an answer file to carry, checked; nil for none
	StandIns  bool   // a medium for tests: stand-ins may be in it, and its name says so
}

// Sealed is a medium before it is written: every byte is in the Store or in
// memory, and the manifest names each.
type Sealed struct {
	Manifest bundle.Manifest
	live     map[string]bundle.Artifact // boot pieces of the medium
	serial   string                     // its serial console
	meta     map[string][]byte          // small files by path on the medium
	blobs    []blob                     // payload, in the order it will lie on the medium
}

type blob struct {
	digest digest.Digest
	size   int64
	kind   string
	names  []string
	source string
}

// Seal makes the node OS and the images, and names everything. Whatever was
// made before from the same inputs is taken from the Store.
func Seal(ctx context.Context, in Input, store *bundle.Store, progress bundle.Progress) (*Sealed, error) {
	s := &sealing{ctx: ctx, in: in, store: store, progress: progress, byName: map[string]bundle.Artifact{}}
	for _, list := range in.Artifacts {
		for _, a := range list {
			s.byName[a.Name] = a
		}
	}
	if err := s.own(); err != nil {
		return nil, err
	}
	if err := s.unpack(); err != nil {
		return nil, err
	}
	if err := s.judge(); err != nil {
		return nil, err
	}
	// What needs no time is refused before what does.
	payload, err := s.payload()
	if err != nil {
		return nil, err
	}
	standIns, err := s.standIns(payload)
	if err != nil {
		return nil, err
	}
	e := in.Choice.Spec.Enclave
	out, err := nodeosbuild.Image(ctx, nodeosbuild.Input{
		Debs: in.Artifacts[nodeos.WantBase], Boot: in.Artifacts[nodeos.WantBoot], Ignition: s.byName[nodeos.Ignition],
		Node: in.Programs.Node, Epoch: in.Lock.Epoch, Enclave: e}, store, progress)
	if err != nil {
		return nil, err
	}
	entries, err := s.images()
	if err != nil {
		return nil, err
	}
	lockRaw, err := canon.JSON(in.Lock)
	if err != nil {
		return nil, err
	}
	m := bundle.Manifest{APIVersion: in.Lock.APIVersion, Kind: "Manifest", Enclave: e.Metadata.Name,
		Epoch: in.Lock.Epoch, Caisson: version.Version, Spec: in.Choice.Spec.Digest, Lock: digest.Of(lockRaw),
		OS: out.OS, StandIns: standIns, Payload: payload, Images: entries}
	if in.Answers != nil {
		m.Answers = digest.Of(in.Answers)
	}
	sealedSecrets, err := s.secrets(&m)
	if err != nil {
		return nil, err
	}
	// What tells one medium from another: all that is in it. Two builds of one
	// Lock by one program have one name, and the same bytes.
	identity, err := canon.Digest(m)
	if err != nil {
		return nil, err
	}
	m.Release = releaseName(e.Metadata.Name, identity.Short(), standIns)
	index, layout := images.Index(entries)
	sealed := &Sealed{Manifest: m, live: out.Live, serial: e.OS.SerialConsole(), meta: map[string][]byte{
		bundle.SpecPath: in.Choice.Spec.Raw, bundle.LockPath: lockRaw, bundle.IndexPath: index, bundle.LayoutPath: layout}}
	if in.Answers != nil {
		sealed.meta[bundle.AnswersPath] = in.Answers
	}
	if sealedSecrets != nil {
		sealed.meta[bundle.SecretsPath] = sealedSecrets
	}
	return sealed, s.gather(sealed)
}

type sealing struct {
	ctx      context.Context
	in       Input
	store    *bundle.Store
	progress bundle.Progress
	byName   map[string]bundle.Artifact
}

// own takes Caisson's own programs into the Store, as artifacts like any other.
func (s *sealing) own() error {
	d, n, err := s.store.PutFile(s.ctx, s.in.Programs.Pause, "")
	if err != nil {
		return err
	}
	s.byName["caisson/pause"] = bundle.Artifact{Name: "caisson/pause", Digest: d, Size: n, Mode: 0o755,
		Source: "pkg:golang/caisson.dev/caisson@" + version.Version + "#cmd/caisson-pause"}
	return nil
}

// images makes the images that have a recipe, and takes the carried ones as
// they came; sorted by reference.
func (s *sealing) images() ([]bundle.ImageEntry, error) {
	recipes, err := s.in.Choice.recipes()
	if err != nil {
		return nil, err
	}
	var out []bundle.ImageEntry
	for i, r := range recipes {
		entry, err := images.Assemble(s.ctx, r, images.Inputs{Artifacts: s.byName, Packages: s.in.Artifacts}, s.store, s.in.Lock.Epoch)
		if err != nil {
			return nil, err
		}
		s.progress("images", int64(i+1), int64(len(recipes)))
		out = append(out, entry)
	}
	for _, p := range s.in.Lock.Pins {
		if p.Image == nil {
			continue
		}
		a, ok := s.byName[p.Want.Name]
		if !ok {
			return nil, missing(p.Want.Name, "the Lock pins it")
		}
		entry := bundle.ImageEntry{Ref: p.Want.Image.Ref, MediaType: p.Image.MediaType, Digest: a.Digest, Size: a.Size, Total: p.Image.Size}
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b bundle.ImageEntry) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

func (s *sealing) payload() ([]bundle.Payload, error) {
	files, err := s.in.Choice.payload()
	if err != nil {
		return nil, err
	}
	var out []bundle.Payload
	for _, f := range files {
		a, ok := s.byName[f.Artifact]
		if !ok {
			return nil, missing(f.Artifact, "it is wanted as "+f.Path)
		}
		out = append(out, bundle.Payload{Path: f.Path, Name: f.Artifact, Mode: modeOf(f.Mode), Digest: a.Digest, Size: a.Size})
	}
	slices.SortFunc(out, func(a, b bundle.Payload) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(out); i++ {
		if out[i].Path == out[i-1].Path {
			return nil, bundle.ManifestPathTwice.New("cannot put %s and %s on the node: both want the path %s", out[i-1].Name, out[i].Name, out[i].Path)
		}
	}
	return out, nil
}

func missing(name, why string) error {
	return artifactMissing.New("cannot find the artifact %s among those collected: %s", name, why).
		Hint("this is a defect of a profile or of caisson: please report it with your Spec")
}

// gather lists every blob once, in the order of first use on the target: node
// OS, node files, then images.
func (s *sealing) gather(out *Sealed) error {
	seen := map[digest.Digest]int{}
	add := func(d digest.Digest, n int64, kind, name, source string) {
		if i, ok := seen[d]; ok {
			if b := &out.blobs[i]; !slices.Contains(b.names, name) {
				b.names = append(b.names, name)
			}
			return
		}
		seen[d] = len(out.blobs)
		out.blobs = append(out.blobs, blob{digest: d, size: n, kind: kind, names: []string{name}, source: source})
	}
	osSource := fmt.Sprintf("%s, %d packages", s.in.Choice.Spec.Enclave.OS.Base, len(s.in.Artifacts[nodeos.WantBase]))
	add(out.Manifest.OS.Image, out.Manifest.OS.Size, "os", "node OS "+out.Manifest.OS.Version, osSource)
	for _, key := range sortedKeys(out.Manifest.OS.Boot) {
		if b := out.Manifest.OS.Boot[key]; !onMedium(out.live, b.Digest) {
			add(b.Digest, b.Size, "os", key, osSource)
		}
	}
	for _, p := range out.Manifest.Payload {
		add(p.Digest, p.Size, "payload", p.Name, s.byName[p.Name].Source)
	}
	for _, im := range out.Manifest.Images {
		closure, err := images.Closure(s.store, im)
		if err != nil {
			return err
		}
		for _, b := range closure {
			add(b.Digest, b.Size, "image", im.Ref, "")
		}
	}
	return nil
}
