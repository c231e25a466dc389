package node

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

// kernelDefaults are what RKE2's profile and the kubelet demand of the kernel
// and end without (rke2 pkg/cli/cmds/profile_linux.go; kubernetes
// component-helpers/node/util/sysctl).
var kernelDefaults = []string{"vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes"}

// Prepare reports, all at once, each reason for which the product would not
// start here, would start and leave the enclave's rules, or would make
// certificates that are not valid yet. With no such reason, certificates that ran
// out are set aside. b is what the profile set in config.yaml; archives are the
// names of the image archives that must be there; accounts are users, each with a
// group of its name.
func (n Node) Prepare(in profiles.PrepareInput, b *config.Builder, archives, accounts []string) error {
	p := preparing{root: in.Root}
	if in.Now.Unix() < in.Epoch {
		p.add("the clock at "+in.Now.UTC().Format(time.DateTime), "a time after "+time.Unix(in.Epoch, 0).UTC().Format(time.DateTime)+", when this node's medium was made")
	}
	p.kernel()
	n.configured(&p, b)
	p.archives(Images(n.Version.Product), archives)
	for _, a := range accounts {
		for _, file := range []string{"/etc/passwd", "/etc/group"} {
			if !slices.ContainsFunc(p.lines(file), func(l string) bool { return strings.HasPrefix(l, a+":") }) {
				p.add("no "+a+" in "+file, "that account")
			}
		}
	}
	resolv := n.Etc() + "/resolv.conf"
	if !slices.ContainsFunc(p.lines(resolv), func(l string) bool { return strings.HasPrefix(l, "nameserver ") }) {
		p.add("no name server in "+resolv, "one: else one of the internet's is taken")
	}
	if !slices.ContainsFunc(p.lines("/proc/net/route"), func(l string) bool {
		f := strings.Fields(l)
		return len(f) > 7 && f[1] == "00000000" && f[7] == "00000000"
	}) {
		p.add("no default route", "one, be it to nowhere")
	}
	if _, err := os.Stat(filepath.Join(in.Root, "usr/sbin/iptables")); err != nil {
		p.add("no /usr/sbin/iptables", "it: pods with a port of the host fail without")
	}
	p.errs = append(p.errs, n.leaks(in.Root))
	if err := errors.Join(p.errs...); err != nil {
		return err
	}
	return n.renew(in) // by a clock that is believed
}

// leaks looks at what an earlier start left in certs.d: a folder that the product
// does not write anew wins over the one for all registries (containerd
// core/remotes/docker/config). What it does write anew at each start counts as that:
// a power cut may have left such a file without its bytes.
func (n Node) leaks(root string) error {
	tree, err := registries.ReadTree(os.DirFS(filepath.Join(root, registries.CertsDir(n.Product()))))
	if err != nil || len(tree) == 0 {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(root, registries.Path(n.Product())))
	if err != nil {
		return nil // heldRegistries says so
	}
	file, err := registries.Parse(raw)
	if err != nil {
		return nil // as above
	}
	maps.Copy(tree, registries.TreeOf(n.Product(), file, true))
	return n.own().Leaks(tree, registries.Rancher)
}

type preparing struct {
	root string
	errs []error
}

func (p *preparing) add(have, need string) {
	p.errs = append(p.errs, NotPrepared.New("cannot start Kubernetes on this node: have %s, need %s", have, need))
}

// holds demands a file with something in it.
func (p *preparing) holds(name, need string) bool {
	info, err := os.Stat(filepath.Join(p.root, name))
	ok := err == nil && info.Mode().IsRegular() && info.Size() > 0
	if !ok {
		p.add("nothing in "+name, need)
	}
	return ok
}

// lines are those of a file; none if it cannot be read.
func (p *preparing) lines(name string) []string {
	raw, _ := os.ReadFile(filepath.Join(p.root, name))
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

func (p *preparing) kernel() {
	all, err := host.Sysctls(true)
	if err != nil {
		p.errs = append(p.errs, err)
	}
	for _, s := range all {
		have := strings.Join(p.lines("/proc/sys/"+strings.ReplaceAll(s.Name, ".", "/")), " ")
		if slices.Contains(kernelDefaults, s.Name) && have != s.Value {
			p.add(fmt.Sprintf("%s = %q", s.Name, have), s.Value)
		}
	}
	have := strings.Fields(strings.Join(p.lines("/sys/fs/cgroup/cgroup.controllers"), " "))
	for _, c := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !slices.Contains(have, c) {
			p.add("no cgroup controller "+c, "it")
		}
	}
	// The tables that these modules bring.
	for module, dir := range map[string]string{"br_netfilter": "/proc/sys/net/bridge", "nf_conntrack": "/proc/sys/net/netfilter"} {
		if _, err := os.Stat(filepath.Join(p.root, dir)); err != nil {
			p.add("no kernel module "+module, "it loaded")
		}
	}
}

// archives demands those that are named, and refuses a list of images, which
// would be an order to pull them (k3s pkg/agent/containerd).
func (p *preparing) archives(dir string, names []string) {
	for _, name := range names {
		p.holds(path.Join(dir, name), "the vendor's archive: its images are nowhere else")
	}
	_ = filepath.WalkDir(filepath.Join(p.root, dir), func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(file), ".txt") {
			p.add("the list "+d.Name()+" in "+dir, "archives only: each image on a list is pulled")
		}
		return nil
	})
}
