package check

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"caisson.dev/caisson/profiles"
)

// Mode: every file that a pattern names has no permission beyond most. A
// pattern that names none fails, unless it ends in "?": then nothing is there
// to be wrong.
func Mode(most fs.FileMode, patterns ...string) Test {
	want := fmt.Sprintf("mode %04o or less", most)
	return func(root string) profiles.Result {
		return forEach(root, want, patterns, func(info fs.FileInfo) (bool, string) {
			return info.Mode().Perm()&^most == 0, fmt.Sprintf("%04o", info.Mode().Perm())
		})
	}
}

// Owner: every file that a pattern names belongs to root, group root.
func Owner(patterns ...string) Test { return OwnerID(0, "owner root:root", patterns...) }

// OwnerID: every file that a pattern names belongs to the user of that number, and
// to the group of the same.
func OwnerID(id uint32, want string, patterns ...string) Test {
	return func(root string) profiles.Result {
		return forEach(root, want, patterns, func(info fs.FileInfo) (bool, string) {
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return false, "no owner"
			}
			return st.Uid == id && st.Gid == id, fmt.Sprintf("%d:%d", st.Uid, st.Gid)
		})
	}
}

// forEach judges every file; Have is all files in short, or the first bad one.
func forEach(root, want string, patterns []string, judge func(fs.FileInfo) (bool, string)) profiles.Result {
	var seen []string
	for _, pattern := range patterns {
		pattern, optional := strings.CutSuffix(pattern, "?")
		paths, err := expand(root, pattern)
		if err != nil {
			return Unreadable(err, want)
		}
		if len(paths) == 0 && !optional {
			return Verdict(false, pattern+" is not there", want)
		}
		for _, p := range paths {
			info, err := os.Lstat(p)
			if err != nil {
				return Unreadable(err, want)
			}
			ok, have := judge(info)
			name := "/" + strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
			if !ok {
				return Verdict(false, name+" is "+have, want)
			}
			seen = append(seen, name)
		}
	}
	if len(seen) == 0 {
		return profiles.Result{Status: NotApplicable, Have: "no such file", Want: want}
	}
	if len(seen) > 3 {
		return Verdict(true, fmt.Sprintf("%d files, all so", len(seen)), want)
	}
	return Verdict(true, strings.Join(seen, ", "), want)
}

// expand is filepath.Glob below root; a pattern that ends in "/**" is a folder
// and all below it.
func expand(root, pattern string) ([]string, error) {
	dir, deep := strings.CutSuffix(pattern, "/**")
	if !deep {
		return filepath.Glob(filepath.Join(root, pattern))
	}
	var out []string
	err := filepath.WalkDir(filepath.Join(root, dir), func(p string, _ fs.DirEntry, err error) error {
		out = append(out, p)
		return err
	})
	if os.IsNotExist(err) {
		return nil, nil
	}
	return out, err
}
