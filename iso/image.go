package iso

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/iso/esp"
	"caisson.dev/caisson/iso/iso9660"
)

// imageStep is what an image's size is a multiple of: some virtual media and
// sticks want whole MiB.
const imageStep = 1 << 20

// Draft is a medium whose files all have their place, but the sealed ones.
type Draft struct {
	medium Medium
	volume iso9660.Volume
	layout *iso9660.Layout
	made   map[string][]byte
	given  map[string]File
}

// Image is a complete medium, ready to be written any number of times.
type Image struct {
	draft  *Draft
	layout *iso9660.Layout
	system []byte
	tail   []byte
}

// New makes the boot files and lays out the medium.
func New(m Medium) (*Draft, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	d := &Draft{medium: m, made: map[string][]byte{}, given: map[string]File{}}
	config := grubConfig(m)
	efi, err := esp.Image(map[string][]byte{
		"EFI/BOOT/BOOTX64.EFI": m.EFI.Shim,
		"EFI/BOOT/grubx64.efi": m.EFI.Grub, // the name that shim starts
		"EFI/BOOT/mmx64.efi":   m.EFI.MokManager,
		ConfigPath:             config,
	}, "CAISSON_ESP", m.Epoch)
	if err != nil {
		return nil, err
	}
	d.volume = iso9660.Volume{Label: m.Label, Application: "CAISSON", Epoch: m.Epoch, Tail: gpt.BackupSectors * gpt.SectorSize, Align: imageStep}
	if m.BIOS != nil {
		if err := m.BIOS.check(); err != nil {
			return nil, err
		}
		d.make(biosImage, m.BIOS.patched(0), 0)
		for _, name := range slices.Sorted(maps.Keys(m.BIOS.Modules)) {
			d.make(biosDir+name, m.BIOS.Modules[name], 0)
		}
		d.volume.Boot = append(d.volume.Boot, iso9660.Boot{Platform: iso9660.BIOS, Path: biosImage})
	}
	d.make(ConfigPath, config, 0)
	d.make(InfoPath, info(m), 0)
	d.make(markDir+m.Release, []byte(m.Release+"\n"), 0)
	d.make(ESPPath, efi, imageStep) // also a partition: begin where tools like them to
	d.volume.Boot = append(d.volume.Boot, iso9660.Boot{Platform: iso9660.EFI, Path: ESPPath})
	for _, f := range m.Files {
		d.given[f.Path] = f
		d.volume.Entries = append(d.volume.Entries, iso9660.Entry{Path: f.Path, Size: f.Size})
	}
	for _, p := range m.Sealed {
		d.volume.Entries = append(d.volume.Entries, iso9660.Entry{Path: p})
	}
	if d.layout, err = iso9660.Plan(d.volume); err != nil {
		return nil, err
	}
	if m.BIOS != nil {
		at, _ := d.layout.Find(biosImage)
		d.made[biosImage] = m.BIOS.patched(at.Offset)
	}
	return d, nil
}

func (d *Draft) make(path string, content []byte, align int64) {
	d.made[path] = content
	d.volume.Entries = append(d.volume.Entries, iso9660.Entry{Path: path, Size: int64(len(content)), Align: align})
}

// Files lists every file of the medium but the sealed ones, in the order in
// which they lie: what a manifest has to name.
func (d *Draft) Files() []Listed {
	var out []Listed
	for _, e := range d.volume.Entries {
		if b, ok := d.made[e.Path]; ok {
			out = append(out, Listed{e.Path, e.Size, digest.Of(b), true})
		} else if f, ok := d.given[e.Path]; ok {
			out = append(out, Listed{f.Path, f.Size, f.Digest, false})
		}
	}
	return out
}

// Boot gives the content of the files that New made, for who wants to look.
func (d *Draft) Boot() map[string][]byte { return maps.Clone(d.made) }

// Seal brings the files named in Medium.Sealed, all of them and no other.
func (d *Draft) Seal(sealed map[string][]byte) (*Image, error) {
	names := slices.Sorted(maps.Keys(sealed))
	if want := slices.Sorted(slices.Values(d.medium.Sealed)); !slices.Equal(names, want) {
		return nil, BadMedium.New("cannot seal the medium: have files %q, need %q", names, want)
	}
	// The same draft may be sealed twice: change copies, never the draft.
	all := *d
	all.made = maps.Clone(d.made)
	all.volume.Entries = slices.Clone(d.volume.Entries)
	for i, e := range all.volume.Entries {
		if b, ok := sealed[e.Path]; ok {
			all.made[e.Path] = b
			all.volume.Entries[i].Size = int64(len(b))
		}
	}
	layout, err := iso9660.Plan(all.volume)
	if err != nil {
		return nil, err
	}
	// BIOS code was patched with its place: sealing must not have moved it.
	for p := range d.made {
		before, _ := d.layout.Find(p)
		if after, _ := layout.Find(p); after != before {
			return nil, BadMedium.New("cannot seal the medium: have %s at byte %d, need it at %d as drafted", p, after.Offset, before.Offset)
		}
	}
	i := &Image{draft: &all, layout: layout}
	return i, i.frame()
}

// frame makes what lies outside the file system: MBR and both GPT copies.
func (i *Image) frame() error {
	m := i.draft.medium
	at, _ := i.layout.Find(ESPPath)
	t := gpt.Table{DiskGUID: gpt.FromHash("caisson medium", m.Release, m.Label), Sectors: i.layout.Size() / gpt.SectorSize}
	first, behind := at.Offset/gpt.SectorSize, (at.Offset+at.Size)/gpt.SectorSize
	t.Partitions = []gpt.Partition{
		{Name: "ESP", Type: gpt.ESP, GUID: gpt.FromHash("caisson medium ESP", m.Release), First: first, Last: behind - 1, Attrs: gpt.AttrReadOnly | gpt.AttrNoAuto},
		// The rest of the data, so that partition tools see it as taken.
		{Name: "CAISSON", Type: gpt.LinuxGeneric, GUID: gpt.FromHash("caisson medium data", m.Release), First: behind, Last: t.LastUsable(), Attrs: gpt.AttrReadOnly | gpt.AttrNoAuto},
	}
	var err error
	if i.system, err = t.Primary(); err != nil {
		return err
	}
	if i.tail, err = t.Backup(); err != nil {
		return err
	}
	signature := gpt.FromHash("caisson medium MBR", m.Release)
	copy(i.system[bootCode:], signature[:4])
	if m.BIOS != nil {
		bios, _ := i.layout.Find(biosImage)
		copy(i.system, m.BIOS.boot(bios.Offset))
		// Some BIOSes start only disks with an active entry; this one has type 0,
		// so that nothing takes it for a partition.
		copy(i.system[462:], []byte{0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0})
	}
	return nil
}

// Size is the image's length in bytes.
func (i *Image) Size() int64 { return i.layout.Size() }

// source gives the bytes of a file, made or given.
func (i *Image) source(path string) (iso9660.Source, error) {
	if b, ok := i.draft.made[path]; ok {
		return iso9660.Source{Digest: digest.Of(b), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}, nil
	}
	f := i.draft.given[path]
	return iso9660.Source{Digest: f.Digest, Open: f.Open, Trusted: f.Trusted}, nil
}
