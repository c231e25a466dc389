package build

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// dropped are files that must not be in an image: identities that packages make
// when they are set up (two nodes with one would break iSCSI, NVMe-oF and SSH),
// traces of the build, caches. First boot makes the identities anew.
var dropped = []string{
	"etc/ssh/ssh_host_*", "etc/iscsi/initiatorname.iscsi", "etc/nvme/hostid", "etc/nvme/hostnqn",
	"var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/lib/systemd/credential.secret",
	"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock",
	"etc/apt/sources.list", "etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
	"vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old",
	"var/lib/apt/extended_states", "usr/lib/sysimage/dpkg/*-old",
}

// emptied are folders whose content belongs to a running system or to the build.
var emptied = []string{"boot", "dev", "proc", "sys", "run", "tmp", "var/tmp", "var/cache", "var/log", "var/lib/apt/lists", "var/lib/dracut"}

// moved are folders that the node has in another place: /var is STATE there, and
// the package list must go with the image (tree/usr/lib/tmpfiles.d/caisson.conf
// links to it).
const (
	dpkgFrom = "var/lib/dpkg"
	dpkgTo   = "usr/lib/sysimage/dpkg"
)

// filter turns the base tree into the image's tree, entry by entry.
type filter struct {
	epoch   time.Time
	release func(debian string) string // lines to add to os-release(5)
	own     map[string]bool
	// taken gets kernel and initramfs, which lie beside the image, not in it.
	taken map[string]func(io.Reader) error
	seen  map[string]bool
	// debian is the content of /etc/debian_version, which tar has before /usr.
	debian string
}

const debianVersion = "etc/debian_version"

// run copies r to w; w is not closed, so that more can follow.
func (f *filter) run(r *tar.Reader, w *tar.Writer) error {
	f.seen = map[string]bool{}
	for {
		h, err := r.Next()
		if err == io.EOF {
			return f.mountPoints(w)
		}
		if err != nil {
			return err
		}
		name := clean(h.Name)
		if take, ok := f.taker(name); ok && h.Typeflag == tar.TypeReg {
			f.seen[takeName(name)] = true
			if err := take(r); err != nil {
				return err
			}
			continue
		}
		name = move(name)
		if name == "" || f.drop(name) { // the root itself is mksquashfs's to make
			continue
		}
		if err := f.write(name, h, r, w); err != nil {
			return err
		}
	}
}

// mountPoints adds those of the kernel's file systems that the base tree lacks
// (mmdebstrap leaves /dev out). The root is read-only on a node: without one of
// them systemd cannot move it there, and starts the initramfs over and over.
func (f *filter) mountPoints(w *tar.Writer) error {
	for _, name := range []string{"dev", "proc", "run", "sys"} {
		if f.seen[name] {
			continue
		}
		h := &tar.Header{Typeflag: tar.TypeDir, Name: "./" + name + "/", Mode: 0o755, ModTime: f.epoch, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
	}
	return nil
}

func (f *filter) write(name string, h *tar.Header, r io.Reader, w *tar.Writer) error {
	body := r
	if name == debianVersion || name == "usr/lib/os-release" {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if name == debianVersion {
			f.debian = strings.TrimSpace(string(b))
		} else {
			b = append(b, f.release(f.debian)...)
		}
		h.Size, body = int64(len(b)), bytes.NewReader(b)
	}
	if err := w.WriteHeader(f.header(name, h)); err != nil {
		return err
	}
	f.seen[name] = true
	_, err := io.Copy(w, body)
	return err
}

// header keeps what an image needs of h: owner by number, mode, a time no later
// than the epoch, and of the extended attributes file capabilities alone.
func (f *filter) header(name string, h *tar.Header) *tar.Header {
	out := &tar.Header{Typeflag: h.Typeflag, Name: "./" + name, Linkname: h.Linkname, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid,
		Size: h.Size, Devmajor: h.Devmajor, Devminor: h.Devminor, ModTime: h.ModTime.Truncate(time.Second), Format: tar.FormatPAX}
	if out.ModTime.After(f.epoch) {
		out.ModTime = f.epoch
	}
	if h.Typeflag == tar.TypeDir {
		out.Name += "/"
	}
	if h.Typeflag == tar.TypeLink {
		out.Linkname = "./" + move(clean(h.Linkname))
	}
	const capability = "SCHILY.xattr.security.capability"
	if v, ok := h.PAXRecords[capability]; ok {
		out.PAXRecords = map[string]string{capability: v}
	}
	return out
}

func (f *filter) drop(name string) bool {
	if f.own[name] {
		return true // written later, ours
	}
	if slices.ContainsFunc(dropped, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) {
		return true
	}
	return slices.ContainsFunc(emptied, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

// taker finds who takes a file out of the tree: pieces are matched by how their
// name begins, since Debian adds the kernel's version.
func (f *filter) taker(name string) (func(io.Reader) error, bool) {
	take, ok := f.taken[takeName(name)]
	return take, ok
}

func takeName(name string) string {
	switch {
	case strings.HasPrefix(name, "boot/vmlinuz-"):
		return "vmlinuz"
	case name == "boot/initrd.img":
		return "initrd"
	}
	return ""
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func move(name string) string {
	if rest, ok := strings.CutPrefix(name, dpkgFrom); ok && (rest == "" || rest[0] == '/') {
		return dpkgTo + rest
	}
	return name
}
