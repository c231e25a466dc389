package file

import (
	"context"
	"net/url"
	"os"
	"path"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/internal/size"
)

// maxChecksums bounds a checksum file: those of large projects have some KiB.
const maxChecksums = 4 * size.MiB

// vouched holds the pin against the checksum file that it was made with: a Lock
// that somebody changed by hand cannot bring other bytes than the file's maker
// stated. The file is most often in the store, from Resolve.
func (s Source) vouched(ctx context.Context, f bundle.FileWant, pin bundle.FilePin, store *bundle.Store) error {
	if f.Checksum == "" {
		return nil
	}
	if !store.Has(pin.Checksums) {
		var err error
		if onServer(f.Checksum) {
			_, _, err = s.Fetch.Get(ctx, store, fetch.Request{URL: f.Checksum, Digest: pin.Checksums, Max: maxChecksums}, nil)
		} else if _, _, err = store.PutFile(ctx, s.at(f.Checksum), pin.Checksums); os.IsNotExist(err) || os.IsPermission(err) {
			err = unreadable(s.at(f.Checksum), err)
		}
		if err != nil {
			return err
		}
	}
	raw, err := readChecksums(store.Path(pin.Checksums))
	if err != nil {
		return err
	}
	d, err := stated(f, raw)
	if err == nil && d != pin.Digest {
		err = bundle.DigestMismatch.New("cannot use %s: have %s in the Lock, need %s as %s says", f.URL+f.Path, pin.Digest, d, f.Checksum).
			Hint("the Lock was changed after it was made: lock again")
	}
	return err
}

// stated is the digest that the text of the checksum file gives for the file.
func stated(f bundle.FileWant, sums []byte) (digest.Digest, error) {
	name := path.Base(f.Path)
	if f.URL != "" {
		u, err := url.Parse(f.URL)
		if err != nil {
			return "", err
		}
		name = path.Base(u.Path)
	}
	d, ok := find(string(sums), name)
	if !ok {
		return "", ChecksumMissing.New("cannot check %s: have no SHA-256 of that name in %s, need one", name, f.Checksum).
			Hint("name the checksum file that belongs to this version, in the form that sha256sum writes")
	}
	return d, nil
}

func onServer(where string) bool {
	return strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://")
}

func (s Source) checksums(ctx context.Context, where string) ([]byte, error) {
	if onServer(where) {
		return s.Fetch.Bytes(ctx, s.Store, where, maxChecksums)
	}
	return readChecksums(s.at(where))
}

func readChecksums(where string) ([]byte, error) {
	info, err := os.Stat(where)
	if err != nil {
		return nil, unreadable(where, err)
	}
	if info.Size() > int64(maxChecksums) {
		return nil, ChecksumMissing.New("cannot read checksum file %s: have %s, need at most %s", where, size.Bytes(info.Size()), maxChecksums)
	}
	return os.ReadFile(where)
}

// find looks name up in lines of "<hex>  <name>" or "<hex> *<name>"; names may
// have folders before them. A name with two different sums has none.
func find(text, name string) (digest.Digest, bool) {
	var found digest.Digest
	for line := range strings.Lines(text) {
		sum, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if path.Base(strings.TrimPrefix(strings.TrimSpace(rest), "*")) != name {
			continue
		}
		d, err := digest.FromHex(sum)
		if err != nil || found != "" && found != d {
			return "", false
		}
		found = d
	}
	return found, found != ""
}
