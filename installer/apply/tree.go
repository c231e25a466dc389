package apply

import (
	"bytes"
	"context"
	"errors"
	"io"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/nodeos"
)

// root is where the node's own tree is put together; esp is its boot partition.
func (r *run) root() string { return r.Work + "/root" }
func (r *run) esp() string  { return r.root() + nodeos.ESPMount }

// stateTree puts the node's tree together just as the node will: the image
// read-only, STATE on /var, the overlay on /etc, the binds. Whatever is written
// into it later lands where the node will find it.
func (r *run) stateTree(s plan.Step) error {
	root := r.root()
	if err := r.System.MkdirAll(root, 0o700, 0); err != nil {
		return err
	}
	if err := r.mount(system.Mount{Source: r.nodes[nodeos.SlotA], Target: root, Type: "squashfs", ReadOnly: true}); err != nil {
		return err
	}
	if err := r.mount(system.Mount{Source: r.nodes[nodeos.State], Target: root + "/var", Type: "ext4"}); err != nil {
		return err
	}
	for _, d := range s.Dirs {
		if err := r.System.MkdirAll(root+"/var/"+d.Path, d.Mode, d.GID); err != nil {
			return err
		}
	}
	mounts := []system.Mount{{Source: "overlay", Target: root + "/etc", Type: "overlay", Options: nodeos.EtcOptions(root)}}
	for _, b := range nodeos.Binds() {
		mounts = append(mounts, system.Mount{Source: root + "/var/bind/" + b.Name, Target: root + b.Path, Bind: true})
	}
	// What programs that run in the tree write there is gone with the next boot.
	mounts = append(mounts,
		system.Mount{Source: "tmpfs", Target: root + "/run", Type: "tmpfs", Options: "mode=0755"},
		system.Mount{Source: "tmpfs", Target: root + "/tmp", Type: "tmpfs", Options: "mode=1777"},
		system.Mount{Source: r.nodes[nodeos.ESP], Target: r.esp(), Type: "vfat", Options: "umask=0077"})
	for _, m := range mounts {
		if err := r.mount(m); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) mount(m system.Mount) error {
	if err := r.System.Mount(m); err != nil {
		return err
	}
	r.mounts = append(r.mounts, m.Target)
	return nil
}

// unmountAll unmounts in reverse order; it goes on past an error.
func (r *run) unmountAll() error {
	var errs []error
	for len(r.mounts) > 0 {
		last := len(r.mounts) - 1
		errs = append(errs, r.System.Unmount(r.mounts[last]))
		r.mounts = r.mounts[:last]
	}
	return errors.Join(errs...)
}

// files writes files below base, each held against its digest as it passes, and
// reads each back from the device.
func (r *run) files(ctx context.Context, base string, files []plan.File) error {
	for _, f := range files {
		if err := r.file(ctx, base, f); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	if err := r.System.Sync(base + files[0].Path); err != nil {
		return err
	}
	for _, f := range files {
		if err := r.readBack(base, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) file(ctx context.Context, base string, f plan.File) error {
	var src io.ReadCloser
	if b, ok := r.plan.Content(f.Digest); ok {
		src = io.NopCloser(bytes.NewReader(b))
	} else {
		var err error
		if src, err = r.Bundle.Open(f.Digest); err != nil {
			return err
		}
	}
	defer src.Close()
	return r.System.WriteFile(base+f.Path, f.Mode, &checked{ctx: ctx, r: src, file: f, progress: r.progress, h: digest.New()})
}

// readBack compares a file with what it should be.
func (r *run) readBack(base string, f plan.File) error {
	back, err := r.System.Open(base + f.Path)
	if err != nil {
		return err
	}
	defer back.Close()
	have, _, err := digest.Reader(back)
	if err != nil {
		return ReadBack.New("cannot read %s back: %w", f.Path, err).Hint(replace)
	}
	if have != f.Digest {
		return ReadBack.New("cannot trust %s: reads back as %s, need %s", f.Path, have, f.Digest).Hint(replace)
	}
	return nil
}

// layImages writes the blobs, then the registry's view over them.
func (r *run) layImages(ctx context.Context, s plan.Step) error {
	if err := r.files(ctx, r.root(), s.Files); err != nil {
		return err
	}
	if err := r.Lay(r.root()+s.Path, r.root()+images.StoreDir, r.plan.View()); err != nil {
		return err
	}
	return r.System.Sync(r.root() + "/var")
}

// writeRecord leaves on the node what was done so far.
func (r *run) writeRecord(ctx context.Context, s plan.Step) error {
	if err := r.files(ctx, r.root(), s.Files); err != nil {
		return err
	}
	planned, err := r.plan.JSON()
	if err != nil {
		return err
	}
	r.record.Written = record.Stamp(r.Now())
	r.written = r.record
	recorded, err := r.written.JSON()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		b    []byte
	}{{record.PlanPath, planned}, {record.Path, recorded}} {
		if err := r.System.WriteFile(r.root()+f.path, 0o644, bytes.NewReader(f.b)); err != nil {
			return err
		}
	}
	r.Events(event.Event{Name: "record", Message: "the record is " + string(digest.Of(recorded))})
	return r.System.Sync(r.root() + "/var")
}

// bootEntry writes the entry, and lets go of the disk's file systems: after it
// only the table is missing.
func (r *run) bootEntry(ctx context.Context, s plan.Step) error {
	if err := r.files(ctx, r.esp(), s.Files); err != nil {
		return err
	}
	if err := r.unmountAll(); err != nil {
		return err
	}
	return r.disk.Sync()
}
