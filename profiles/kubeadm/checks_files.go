package kubeadm

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"caisson.dev/caisson/profiles"
)

// mode: every file that a pattern names has no permission beyond most. A
// pattern that names none fails, unless it ends in "?": then nothing is there
// to be wrong.
func mode(most fs.FileMode, patterns ...string) test {
	want := fmt.Sprintf("mode %04o or less", most)
	return func(root string) profiles.Result {
		return forEach(root, want, patterns, func(info fs.FileInfo) (bool, string) {
			return info.Mode().Perm()&^most == 0, fmt.Sprintf("%04o", info.Mode().Perm())
		})
	}
}

// owner: every file that a pattern names belongs to root, group root.
func owner(patterns ...string) test {
	return func(root string) profiles.Result {
		return forEach(root, "owner root:root", patterns, func(info fs.FileInfo) (bool, string) {
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return false, "no owner"
			}
			return st.Uid == 0 && st.Gid == 0, fmt.Sprintf("%d:%d", st.Uid, st.Gid)
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
			return unreadable(err, want)
		}
		if len(paths) == 0 && !optional {
			return verdict(false, pattern+" is not there", want)
		}
		for _, p := range paths {
			info, err := os.Lstat(p)
			if err != nil {
				return unreadable(err, want)
			}
			ok, have := judge(info)
			name := "/" + strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
			if !ok {
				return verdict(false, name+" is "+have, want)
			}
			seen = append(seen, name)
		}
	}
	if len(seen) == 0 {
		return profiles.Result{Status: notApplicable, Have: "no such file", Want: want}
	}
	if len(seen) > 3 {
		return verdict(true, fmt.Sprintf("%d files, all so", len(seen)), want)
	}
	return verdict(true, strings.Join(seen, ", "), want)
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

const manifests = "/etc/kubernetes/manifests/"

func controlPlaneFiles() []line {
	return []line{
		{"1.1.1", "The API server's pod file is readable by root alone", mode(0o600, manifests+"kube-apiserver.yaml")},
		{"1.1.2", "The API server's pod file belongs to root", owner(manifests + "kube-apiserver.yaml")},
		{"1.1.3", "The controller manager's pod file is readable by root alone", mode(0o600, manifests+"kube-controller-manager.yaml")},
		{"1.1.4", "The controller manager's pod file belongs to root", owner(manifests + "kube-controller-manager.yaml")},
		{"1.1.5", "The scheduler's pod file is readable by root alone", mode(0o600, manifests+"kube-scheduler.yaml")},
		{"1.1.6", "The scheduler's pod file belongs to root", owner(manifests + "kube-scheduler.yaml")},
		{"1.1.7", "etcd's pod file is readable by root alone", mode(0o600, manifests+"etcd.yaml")},
		{"1.1.8", "etcd's pod file belongs to root", owner(manifests + "etcd.yaml")},
		{"1.1.9", "The pod network's files are readable by root alone", mode(0o600, "/etc/cni/net.d/*")},
		{"1.1.10", "The pod network's files belong to root", owner("/etc/cni/net.d/*")},
		{"1.1.11", "etcd's data folder is closed to others", mode(0o700, "/var/lib/etcd")},
		{"1.1.12", "etcd's data folder belongs to etcd's own user", etcdOwner},
		{"1.1.13", "The administrator's credentials are readable by root alone", mode(0o600, adminConf, "/etc/kubernetes/super-admin.conf?")},
		{"1.1.14", "The administrator's credentials belong to root", owner(adminConf, "/etc/kubernetes/super-admin.conf?")},
		{"1.1.15", "The scheduler's credentials are readable by root alone", mode(0o600, "/etc/kubernetes/scheduler.conf")},
		{"1.1.16", "The scheduler's credentials belong to root", owner("/etc/kubernetes/scheduler.conf")},
		{"1.1.17", "The controller manager's credentials are readable by root alone", mode(0o600, "/etc/kubernetes/controller-manager.conf")},
		{"1.1.18", "The controller manager's credentials belong to root", owner("/etc/kubernetes/controller-manager.conf")},
		{"1.1.19", "The cluster's certificates and keys belong to root", owner("/etc/kubernetes/pki/**")},
		{"1.1.20", "No certificate can be written by others", mode(0o644, "/etc/kubernetes/pki/*.crt", "/etc/kubernetes/pki/etcd/*.crt")},
		{"1.1.21", "Private keys are readable by root alone", mode(0o600, "/etc/kubernetes/pki/*.key", "/etc/kubernetes/pki/etcd/*.key")},
	}
}

// etcdOwner: kubeadm runs etcd as root in its own pod, so the folder is root's.
// That is not what the benchmark asks for, and a person has to accept it.
func etcdOwner(root string) profiles.Result {
	const want = "owner etcd:etcd"
	if r := owner("/var/lib/etcd")(root); r.Status != pass {
		return r
	}
	return profiles.Result{Status: manual, Have: "owner root:root: kubeadm runs etcd as root, in a container of its own", Want: want}
}

func nodeFiles() []line {
	const unit, dropIns = "/etc/systemd/system/kubelet.service", "/etc/systemd/system/kubelet.service.d/*"
	return []line{
		{"4.1.1", "The kubelet's service files are readable by root alone", mode(0o600, unit, dropIns)},
		{"4.1.2", "The kubelet's service files belong to root", owner(unit, dropIns)},
		{"4.1.5", "The kubelet's credentials are readable by root alone", mode(0o600, kubeletConf)},
		{"4.1.6", "The kubelet's credentials belong to root", owner(kubeletConf)},
		{"4.1.7", "The CA that clients are checked with cannot be written by others", mode(0o644, caCert)},
		{"4.1.8", "The CA that clients are checked with belongs to root", owner(caCert)},
		{"4.1.9", "The kubelet's configuration is readable by root alone", mode(0o600, kubeletConfig)},
		{"4.1.10", "The kubelet's configuration belongs to root", owner(kubeletConfig)},
	}
}
