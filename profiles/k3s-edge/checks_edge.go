package k3sedge

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

// edgeLines is what a box alone in the field relies on (docs/k3s-edge.md).
func edgeLines() []profiles.Check {
	return []profiles.Check{
		check.Of("C.20", "No registry's own address is a last resort", on("disable-default-registry-endpoint")),
		check.Of("C.21", "No image is looked for outside the enclave", inside),
		check.Of("C.22", "K3s's own images are on the disk, and stay pinned", archives),
		check.Of("C.23", "Pods ask resolvers of the enclave, or none", resolvers),
		check.Of("C.24", "The state is on a file system with a journal, and its writes are not reordered", journaled),
		check.Of("C.25", "The hardware's watchdog is on", watchdog),
		live("C.26", "Certificates last for a month or more", certificates),
	}
}

// inside looks at what K3s made for its containerd.
func inside(root string) profiles.Result {
	const want = "hosts.toml files that name the node's own registry only"
	tree, err := registries.ReadTree(os.DirFS(filepath.Join(root, registries.CertsDir(config.K3s))))
	if err == nil && len(tree) == 0 {
		return check.Verdict(false, "none", want)
	}
	if err == nil {
		own := registries.Config{Mirrors: []registries.Mirror{{Mirror: images.Mirror{Base: "http://" + images.Address}}}}
		err = own.Leaks(tree, registries.Rancher)
	}
	if err != nil {
		return check.Unreadable(err, want)
	}
	return check.Verdict(true, fmt.Sprintf("%d folders, all so", len(tree)), want)
}

// archives: a list of images beside them would be an order to pull.
func archives(root string) profiles.Result {
	want := "an archive in " + imagesDir + ", and no list of images"
	entries, err := os.ReadDir(filepath.Join(root, imagesDir))
	if err != nil {
		return check.Unreadable(err, want)
	}
	var have []string
	found, list := false, false
	for _, e := range entries {
		have = append(have, e.Name())
		info, err := e.Info()
		found = found || err == nil && strings.HasSuffix(e.Name(), ".tar.zst") && info.Size() > 0
		list = list || strings.EqualFold(filepath.Ext(e.Name()), ".txt")
	}
	return check.Verdict(found && !list, strings.Join(have, ", "), want)
}

// resolvConf is what pods go by.
var resolvConf = configDir + "/resolv.conf"

// resolvers: without the key or the name servers K3s would have pods ask some of
// the internet (k3s pkg/agent/config/config.go, locateOrGenerateResolvConf).
func resolvers(root string) profiles.Result {
	want := "resolv-conf: " + resolvConf + ", with a name server in it"
	c, err := readConfig(root)
	if err != nil {
		return check.Unreadable(err, want)
	}
	raw, err := os.ReadFile(filepath.Join(root, resolvConf))
	if err != nil {
		return check.Unreadable(err, want)
	}
	var servers []string
	for l := range strings.Lines(string(raw)) {
		if s, ok := strings.CutPrefix(strings.TrimSpace(l), "nameserver "); ok {
			servers = append(servers, s)
		}
	}
	return check.Verdict(c.Values["resolv-conf"] == resolvConf && len(servers) > 0, fmt.Sprintf("resolv-conf: %v, name servers %s", c.Values["resolv-conf"], strings.Join(servers, ", ")), want)
}

// journaled: with data=ordered, ext4's default, a file's content is written
// before the journal says that it is there; barriers make fsync mean what
// databases take it for (ext4(5)).
func journaled(root string) profiles.Result {
	const want = "/var on ext4, data=ordered or data=journal, with barriers"
	raw, err := os.ReadFile(filepath.Join(root, "proc/mounts"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	have, ok := "/var is not mounted", false
	for l := range strings.Lines(string(raw)) {
		f := strings.Fields(l)
		if len(f) < 4 || f[1] != "/var" {
			continue
		}
		options := strings.Split(f[3], ",")
		bad := func(o string) bool {
			return slices.Contains([]string{"data=writeback", "nobarrier", "barrier=0", "noload"}, o)
		}
		have, ok = "/var on "+f[2]+", "+f[3], f[2] == "ext4" && !slices.ContainsFunc(options, bad)
	}
	return check.Verdict(ok, have, want)
}

func watchdog(root string) profiles.Result {
	const want = "active, where the machine has one"
	raw, err := os.ReadFile(filepath.Join(root, "sys/class/watchdog/watchdog0/state"))
	if os.IsNotExist(err) {
		return profiles.Result{Status: check.NotApplicable, Have: "no watchdog in this machine", Want: want}
	}
	if err != nil {
		return check.Unreadable(err, want)
	}
	state := strings.TrimSpace(string(raw))
	return check.Verdict(state == "active", state, want)
}

// aMonth is less than is ever left on a box that runs: it is started anew every
// quarter, and then renews what has 90 days or fewer left.
const aMonth = 30 * 24 * time.Hour

// certificates looks at what this node serves and shows.
func certificates(_ context.Context, root string) profiles.Result {
	const want = "30 days or more"
	files, err := filepath.Glob(filepath.Join(root, agentDir, "*.crt"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	served, err := filepath.Glob(filepath.Join(root, tlsDir, "*.crt"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	now, least, which := time.Now(), time.Duration(1<<63-1), ""
	for _, f := range append(files, served...) {
		raw, err := os.ReadFile(f)
		if err != nil {
			return check.Unreadable(err, want)
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return check.Unreadable(err, want)
		}
		if left := cert.NotAfter.Sub(now); left < least {
			least, which = left, filepath.Base(f)
		}
	}
	if which == "" {
		return check.Verdict(false, "no certificate", want)
	}
	return check.Verdict(least >= aMonth, fmt.Sprintf("%d days of %s", int(least.Hours()/24), which), want)
}
