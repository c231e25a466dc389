package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/digest"
)

// trustFor is how long a blob that was hashed in full is taken for what it is,
// while nobody has touched its file and the machine was not restarted: its pages
// are then most likely the very ones in memory that were hashed. A disk that rots
// is found a day later at the worst, and by every check of a medium.
const trustFor = 24 * time.Hour

// Seen is a blob's file as it was at one moment. The kernel changes ctime with
// every write, rename and change of mode, and no program can set it back
// (inode(7)).
type Seen struct {
	Dev, Inode        uint64
	Size              int64
	Modified, Changed int64  // nanoseconds
	Boot              string // random boot_id(5): of this start of the machine
}

// See looks at a blob's file. Vouch takes what it saw after the blob was hashed.
func (s *Store) See(d digest.Digest) (Seen, error) {
	var st unix.Stat_t
	if err := unix.Lstat(s.Path(d), &st); err != nil {
		return Seen{}, &os.PathError{Op: "lstat", Path: s.Path(d), Err: err}
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Seen{}, err
	}
	return Seen{Dev: st.Dev, Inode: st.Ino, Size: st.Size, Modified: unix.TimespecToNsec(st.Mtim), Changed: unix.TimespecToNsec(st.Ctim),
		Boot: strings.TrimSpace(string(boot))}, nil
}

// vouched is what the Store keeps of a full hash.
type vouched struct {
	Seen
	Checked int64 // Unix time
}

func (s *Store) vouchPath(d digest.Digest) string { return filepath.Join(s.dir, "checked", d.Hex()) }

// Vouch remembers that the blob was hashed in full after seen, and had its digest.
// A file that was touched meanwhile is not vouched for.
func (s *Store) Vouch(d digest.Digest, seen Seen) error {
	now, err := s.See(d)
	if err != nil || now != seen {
		return err
	}
	raw, err := json.Marshal(vouched{seen, time.Now().Unix()})
	if err != nil {
		return err
	}
	return s.DiskFault(os.WriteFile(s.vouchPath(d), raw, 0o644), int64(len(raw))) // a torn one does not parse
}

// Trusted tells whether the blob was hashed in full a short time ago and its file
// was not touched since.
func (s *Store) Trusted(d digest.Digest) bool {
	raw, err := os.ReadFile(s.vouchPath(d))
	if err != nil {
		return false
	}
	var v vouched
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	age := time.Since(time.Unix(v.Checked, 0))
	now, err := s.See(d)
	return err == nil && now == v.Seen && age >= 0 && age < trustFor
}
