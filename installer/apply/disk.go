package apply

import (
	"bytes"
	"context"
	"io"

	"caisson.dev/caisson/installer/disk"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/system"
)

const chunk = 1 << 20

// clear takes the disk and makes it blank: the first MiB (protective MBR and
// primary table) goes first, since without it no firmware looks at the rest;
// then the backup table; then the start of each partition to come, so that no
// old file system shows through.
func (r *run) clear(s plan.Step) error {
	d, err := r.System.OpenDisk(s.Device)
	if err != nil {
		return err
	}
	r.disk = d
	size := int64(r.plan.Disk.Size)
	if err := r.zero(0); err != nil {
		return err
	}
	if err := r.zero(size - chunk); err != nil {
		return err
	}
	for _, p := range r.plan.Table.Partitions {
		if _, err := d.WriteAt(make([]byte, chunk), p.First*gpt.SectorSize); err != nil {
			return err
		}
	}
	return d.Sync()
}

func (r *run) zero(at int64) error {
	if _, err := r.disk.WriteAt(make([]byte, chunk), at); err != nil {
		return err
	}
	return r.disk.Sync()
}

func (r *run) divide() error {
	var parts []system.Extent
	for _, p := range r.plan.Table.Partitions {
		n, start, length := disk.Extent(r.plan.Table, p.Name)
		parts = append(parts, system.Extent{Number: n, Start: start, Size: length})
	}
	nodes, err := r.disk.Partition(parts)
	if err != nil {
		return err
	}
	r.nodes = map[string]string{}
	for i, p := range r.plan.Table.Partitions {
		r.nodes[p.Name] = nodes[i]
	}
	return nil
}

// makeFS uses the file systems' own tools, every option that matters given. The
// inode tables of STATE are zeroed in the background after the first mount (they
// carry checksums, so that is safe); its journal is zeroed now.
func (r *run) makeFS(ctx context.Context, s plan.Step) error {
	argv := []string{"mkfs.ext4", "-q", "-F", "-L", s.Partition, "-U", s.UUID, "-b", "4096", "-m", "1",
		"-O", "has_journal,extent,huge_file,dir_nlink,extra_isize,64bit,metadata_csum", "-J", "size=64",
		"-E", "lazy_itable_init=1,lazy_journal_init=0"}
	if s.FS == "vfat" {
		argv = []string{"mkfs.vfat", "-F", "32", "-n", s.Partition, "-i", s.UUID}
	}
	return r.System.Run(ctx, system.Command{Argv: append(argv, r.nodes[s.Partition])})
}

// writeImage writes the OS image to its slot and reads it back from the device.
func (r *run) writeImage(ctx context.Context, s plan.Step) error {
	_, start, _ := disk.Extent(r.plan.Table, s.Partition)
	src, err := r.Bundle.Open(s.Digest)
	if err != nil {
		return err
	}
	defer src.Close()
	have, n, err := r.copy(ctx, io.NewOffsetWriter(r.disk, start), src)
	if err != nil {
		return err
	}
	if have != s.Digest || n != s.Size {
		return Differs.New("cannot use the OS image: have %d bytes of %s, need %d of %s", n, have, s.Size, s.Digest).Hint(changed)
	}
	if err := r.disk.Sync(); err != nil {
		return err
	}
	if err := r.disk.Forget(); err != nil {
		return err
	}
	have, _, err = digest.Reader(io.NewSectionReader(r.disk, start, s.Size))
	if err != nil {
		return ReadBack.New("cannot read %s of %s back: %w", s.Partition, s.Device, err).Hint(replace)
	}
	if have != s.Digest {
		return ReadBack.New("cannot trust %s of %s: reads back as %s, need %s", s.Partition, s.Device, have, s.Digest).Hint(replace)
	}
	return nil
}

const replace = "the disk does not keep what is written to it: replace the disk or its cable, then install again"

// copy moves bytes with progress and a digest, and stops with ctx.
func (r *run) copy(ctx context.Context, w io.Writer, src io.Reader) (digest.Digest, int64, error) {
	h := digest.New()
	buf := make([]byte, chunk)
	var total int64
	for {
		if ctx.Err() != nil {
			return "", total, context.Cause(ctx)
		}
		n, err := io.ReadFull(src, buf)
		if n > 0 {
			h.Write(buf[:n])
			if _, err := w.Write(buf[:n]); err != nil {
				return "", total, err
			}
			total += int64(n)
			r.progress(int64(n))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return digest.FromSum(h.Sum(nil)), total, nil
		}
		if err != nil {
			return "", total, err
		}
	}
}

// activate writes the table. The primary copy goes first: all of it that is not
// zero lies in the first 4 KiB, so that it is there as a whole or not at all, and
// with it the disk boots. Power lost before the backup copy leaves a disk that
// boots all the same; UEFI firmware writes a missing backup again (UEFI 2.10,
// section 5.3.2). A table that does not read back is wiped.
func (r *run) activate() error {
	primary, err := r.plan.Table.Primary()
	if err != nil {
		return err
	}
	backup, err := r.plan.Table.Backup()
	if err != nil {
		return err
	}
	tail := (r.plan.Table.Sectors - gpt.BackupSectors) * gpt.SectorSize
	for _, w := range []struct {
		b  []byte
		at int64
	}{{primary, 0}, {backup, tail}} {
		if _, err := r.disk.WriteAt(w.b, w.at); err != nil {
			return err
		}
		if err := r.disk.Sync(); err != nil {
			return err
		}
	}
	if err := r.disk.Forget(); err != nil {
		return err
	}
	if r.reads(primary, 0) && r.reads(backup, tail) {
		return nil
	}
	f := ReadBack.New("cannot trust the partition table of %s: it does not read back as it was written", r.plan.Disk.Path).Hint(replace)
	if err := r.zero(0); err != nil {
		f.Hint("the table could not be wiped again either: %v", err)
	}
	return f
}

func (r *run) reads(want []byte, at int64) bool {
	have := make([]byte, len(want))
	_, err := r.disk.ReadAt(have, at)
	return err == nil && bytes.Equal(have, want)
}
