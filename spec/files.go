package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"caisson.dev/caisson/internal/fault"
)

// CheckFiles reports every file and folder that the Spec names and that is not
// there, or is of the wrong kind; for manifests, manifests.Load does it. It is
// for the low side: on the medium these files lie in the bundle, not beside the
// Spec.
func CheckFiles(l Loaded) error {
	var errs []error
	check := func(path, name string, folder bool) {
		if name != "" {
			errs = append(errs, l.CheckFile(path, name, folder))
		}
	}
	for i, image := range l.Enclave.Images {
		check(child(item("images", i), "layout"), image.Layout, true)
		check(child(item("images", i), "archive"), image.Archive, false)
	}
	if r := l.Enclave.Kubernetes.Release; r != nil {
		check("kubernetes.release.path", r.Path, true)
	}
	if b := l.Enclave.Registry.Binary; b != nil {
		check("registry.binary.path", b.Path, false)
		if !b.ChecksumURL() {
			check("registry.binary.checksum", b.Checksum, false)
		}
	}
	if name := l.Enclave.Secrets.Sealed; name != "" {
		err := l.CheckFile("secrets.sealed", name, false)
		if err == nil {
			err = l.CheckFile("secrets.sealed", name+NotesSuffix, false)
		}
		var f *fault.Fault
		if errors.As(err, &f) {
			f.Hint("caisson secrets makes it, and the file %s beside it", NotesSuffix)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Resolve is the path of a file that the Spec names: relative names start from
// the Spec's folder.
func (l Loaded) Resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.Dir, filepath.FromSlash(name))
}

// CheckFile reports a file or folder that is not there, or is of the wrong
// kind; path is that of the field that names it.
func (l Loaded) CheckFile(path, name string, folder bool) error {
	need := "a regular file"
	if folder {
		need = "a folder"
	}
	name = l.Resolve(name)
	info, err := os.Stat(name)
	var cause *fs.PathError
	switch {
	case errors.As(err, &cause):
		f := l.Refuse(NoFile, path, name+": "+cause.Err.Error(), need).Hint("relative names start from the folder of the Spec")
		f.Cause = cause.Err
		return f
	case err != nil:
		return err
	case folder != info.IsDir() || (!folder && !info.Mode().IsRegular()):
		return l.Refuse(NoFile, path, name+", which is of another kind", need)
	}
	return nil
}
