package plan

import (
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/nodeos"
)

// firstSlot is where an install goes; updates alternate.
const firstSlot = "a"

// bootTries is how often a new version may start without passing its health
// gate before the loader prefers another one.
const bootTries = 3

// boot is what the ESP holds: the loader's files, and the entry that goes last.
func (p *Plan) boot(os bundle.OSImage, serial string, words []string) (loader []File, entry File, err error) {
	pieces, err := nodeos.ESPFiles(os)
	if err != nil {
		return nil, File{}, err
	}
	for _, f := range pieces {
		loader = append(loader, File{Path: f.Path, Size: f.Blob.Size, Digest: f.Blob.Digest})
	}
	loader = append(loader, p.own(nodeos.LoaderConfPath, 0, []byte(nodeos.LoaderConf())))
	disk := nodeos.Disk{Slot: firstSlot, Image: partUUID(p.Table, nodeos.SlotA), State: partUUID(p.Table, nodeos.State), ESP: partUUID(p.Table, nodeos.ESP)}
	path, text := nodeos.Entry(os.Version, append(nodeos.InstalledArgs(disk, os, serial), words...), bootTries)
	return loader, p.own(path, 0, []byte(text)), nil
}

// partUUID is a partition's GUID as the kernel and udev write it.
func partUUID(t gpt.Table, name string) string {
	for _, p := range t.Partitions {
		if p.Name == name {
			return strings.ToLower(p.GUID.String())
		}
	}
	return ""
}

func stateDirs() []Dir {
	var out []Dir
	for _, d := range nodeos.StateDirs() {
		out = append(out, Dir{Path: d.Path, Mode: d.Mode, GID: d.GID})
	}
	return out
}

// writable says whether an installed node can write to a path: /etc and /var are
// on STATE, and so are the binds.
func writable(p string) bool {
	for _, dir := range writableDirs() {
		if strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

func writableDirs() []string {
	dirs := []string{"/etc", "/var"}
	for _, b := range nodeos.Binds() {
		dirs = append(dirs, b.Path)
	}
	return dirs
}
