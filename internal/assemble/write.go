package assemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/iso"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/nodeos"
)

// Done is what a build wrote.
type Done struct {
	Path     string        `json:"path"`
	Size     int64         `json:"size"`
	Files    int           `json:"files"`
	Release  string        `json:"release"`
	Manifest digest.Digest `json:"manifest"`
}

// Write writes the medium to path: complete and checked, or not at all.
func (s *Sealed) Write(ctx context.Context, store *bundle.Store, path string, progress bundle.Progress) (Done, error) {
	medium, err := s.medium(store)
	if err != nil {
		return Done{}, err
	}
	draft, err := iso.New(medium)
	if err != nil {
		return Done{}, err
	}
	m := s.Manifest
	m.Files = s.files(draft.Files())
	raw, err := canon.JSON(m)
	if err != nil {
		return Done{}, err
	}
	if _, err := bundle.ReadManifest(raw); err != nil {
		return Done{}, fmt.Errorf("cannot read back the manifest just made: %w", err)
	}
	unvouched := s.unvouched(store)
	image, err := draft.Seal(bundle.SealManifest(raw))
	if err != nil {
		return Done{}, err
	}
	res, err := image.WriteFile(ctx, path, iso9660.Options{Progress: func(_ string, done, total int64) { progress("iso", done, total) }})
	if err != nil {
		return Done{}, outputFault(err, path, image.Size())
	}
	for d, seen := range unvouched { // each was hashed on its way
		if err := store.Vouch(d, seen); err != nil {
			return Done{}, err
		}
	}
	return Done{Path: path, Size: res.Size, Files: len(m.Files) + 2, Release: m.Release, Manifest: digest.Of(raw)}, nil
}

// unvouched are the blobs that the writing will hash, as their files are now.
func (s *Sealed) unvouched(store *bundle.Store) map[digest.Digest]bundle.Seen {
	out := map[digest.Digest]bundle.Seen{}
	look := func(d digest.Digest) {
		if !store.Trusted(d) {
			if seen, err := store.See(d); err == nil {
				out[d] = seen
			}
		}
	}
	for _, b := range s.blobs {
		look(b.digest)
	}
	for _, key := range []string{nodeos.Kernel, nodeos.Initrd} {
		look(s.live[key].Digest)
	}
	return out
}

// outputFault says how much room the image needs where "no space left on
// device" was all the system said. The half-written file is gone already.
func outputFault(err error, path string, need int64) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	var st syscall.Statfs_t
	have := "an unknown amount"
	if syscall.Statfs(filepath.Dir(path), &st) == nil {
		have = size.Bytes(int64(st.Bavail) * st.Bsize).String()
	}
	return bundle.DiskFull.New("cannot write %s: have %s free, need %s", path, have, size.Bytes(need)).
		Hint("free space there, or choose another folder with -o")
}

// Label is the volume label of a release: what the live boot looks for.
func Label(release string) string {
	hex := release[strings.LastIndex(release, "-")+1:]
	return "CAISSON_" + strings.ToUpper(hex[:8])
}

// medium is the value that iso turns into bytes: what boots first, so that an
// optical drive reads forwards.
func (s *Sealed) medium(store *bundle.Store) (iso.Medium, error) {
	m := s.Manifest
	out := iso.Medium{Label: Label(m.Release), Release: m.Release, Title: "Caisson " + m.Enclave, Epoch: m.Epoch,
		Sealed:  []string{bundle.ManifestPath, bundle.SumPath},
		Command: strings.Join(nodeos.LiveArgs(Label(m.Release), m.OS.Image.Hex(), s.serial), " "),
		Entries: []iso.Entry{
			{ID: "install", Title: "Install " + m.Release},
			{ID: "ram", Title: "Install, with the system copied to memory first", Extra: "rd.live.ram=1"},
			{ID: "plain", Title: "Install, asked line by line (screen readers, simple terminals)", Extra: "caisson.tui=plain"},
			{ID: "large", Title: "Install, in large print without colours", Extra: "caisson.tui=large,mono"},
		}}
	for path, key := range map[string]string{iso.KernelPath: nodeos.Kernel, iso.InitrdPath: nodeos.Initrd} {
		a := s.live[key]
		out.Files = append(out.Files, storeFile(store, path, a.Digest, a.Size))
	}
	slices.SortFunc(out.Files, func(a, b iso.File) int { return strings.Compare(b.Path, a.Path) })
	for _, b := range s.blobs {
		out.Files = append(out.Files, storeFile(store, bundle.BlobDir+"/"+b.digest.Hex(), b.digest, b.size))
	}
	for _, path := range sortedKeys(s.meta) {
		data := s.meta[path]
		out.Files = append(out.Files, iso.File{Path: path, Size: int64(len(data)), Digest: digest.Of(data),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(data))), nil }})
	}
	pieces := map[string][]byte{}
	for _, key := range []string{nodeos.Shim, nodeos.GRUB, nodeos.MokManager, nodeos.GRUBHybrid} {
		data, err := os.ReadFile(store.Path(s.live[key].Digest))
		if err != nil {
			return out, err
		}
		pieces[key] = data
	}
	out.EFI = iso.EFI{Shim: pieces[nodeos.Shim], Grub: pieces[nodeos.GRUB], MokManager: pieces[nodeos.MokManager]}
	rescue, err := os.Open(store.Path(s.live[nodeos.GRUBRescue].Digest))
	if err != nil {
		return out, err
	}
	defer rescue.Close()
	out.BIOS, err = iso.ReadBIOS(rescue, s.live[nodeos.GRUBRescue].Size, pieces[nodeos.GRUBHybrid])
	return out, err
}

func storeFile(store *bundle.Store, path string, d digest.Digest, n int64) iso.File {
	return iso.File{Path: path, Size: n, Digest: d, Trusted: store.Trusted(d), Open: func() (io.ReadCloser, error) { return store.Open(d) }}
}

// files names every file of the medium, with what it is and where it came from.
func (s *Sealed) files(listed []iso.Listed) []bundle.File {
	byPath := map[string]blob{}
	for _, b := range s.blobs {
		byPath[bundle.BlobDir+"/"+b.digest.Hex()] = b
	}
	var out []bundle.File
	for _, l := range listed {
		f := bundle.File{Path: l.Path, Size: l.Size, Digest: l.Digest, Kind: "boot"}
		if b, ok := byPath[l.Path]; ok {
			f.Kind, f.Name, f.Source = b.kind, strings.Join(b.names, ", "), b.source
		} else if _, ok := s.meta[l.Path]; ok {
			f.Kind = "meta"
		}
		out = append(out, f)
	}
	return out
}

// onMedium tells whether a boot piece lies under a path of its own already.
func onMedium(live map[string]bundle.Artifact, d digest.Digest) bool {
	return live[nodeos.Kernel].Digest == d || live[nodeos.Initrd].Digest == d
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func modeOf(m uint32) fs.FileMode { return fs.FileMode(m) & fs.ModePerm }
