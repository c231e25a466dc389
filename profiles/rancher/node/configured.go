package node

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

// guarding are the keys without which the product starts all the same, and pulls
// from outside, lets in whom it should not, or logs nothing.
var guarding = []string{
	"disable-default-registry-endpoint", "server", "token-file", "agent-token-file", "resolv-conf", "profile", "protect-kernel-defaults",
	"secrets-encryption", "audit-policy-file", "pod-security-admission-config-file", "kube-apiserver-arg", "kubelet-arg",
}

// configured judges what the product is about to read: config.yaml with its
// drop-ins, the files that these name, and registries.yaml. b is what the profile
// set.
func (n Node) configured(p *preparing, b *config.Builder) {
	b.Extra(Extra(n.in.Enclave))
	p.errs = append(p.errs, n.heldConfig(p, b), n.heldRegistries(p))
	want, err := b.Values()
	if err != nil {
		p.errs = append(p.errs, err)
		return
	}
	for _, name := range pointedAt(want) {
		p.holds(name, "the file that config.yaml names")
	}
}

func (n Node) heldConfig(p *preparing, b *config.Builder) error {
	dir := filepath.Join(p.root, n.Etc())
	if !p.holds(n.Product().Path(), "it: without it nothing is left of the profile") {
		return nil
	}
	have, err := config.Read(os.DirFS(dir))
	if err != nil {
		return err
	}
	x := Extra(n.in.Enclave)
	errs := []error{config.Check(n.Target(), have.Values, x.Unchecked...), b.Held(have.Values, guarding...), checkS3(have.Values)}
	for _, name := range slices.Sorted(maps.Keys(have.Values)) {
		if why, ok := kept(name); ok && !b.Sets(name) {
			errs = append(errs, config.KeyNever.New("cannot use %s: have it in the config files of this node, need it left to the profile", name).Hint("%s", why))
		}
	}
	return errors.Join(errs...)
}

func (n Node) heldRegistries(p *preparing) error {
	name := registries.Path(n.Product())
	if !p.holds(name, "it: without it images are asked for outside") {
		return nil
	}
	data, err := fs.ReadFile(os.DirFS(p.root), strings.TrimPrefix(name, "/"))
	if err != nil {
		return registries.Invalid.New("cannot read registries.yaml: %w", err)
	}
	// heldConfig sees to it that there is no last resort.
	return n.own().Prove(n.Product(), data, true)
}

// own is the one registry that this node asks.
func (n Node) own() registries.Config {
	return registries.Config{Mirrors: []registries.Mirror{{Mirror: n.in.Registry.Mirror()}}}
}

// pointedAt are the files that config.yaml names.
func pointedAt(v config.Values) []string {
	var out []string
	for _, key := range []string{"token-file", "agent-token-file", "audit-policy-file", "pod-security-admission-config-file"} {
		if file, ok := v[key].(string); ok {
			out = append(out, file)
		}
	}
	args, _ := v["kube-apiserver-arg"].([]string)
	for _, a := range args {
		if name, file, _ := strings.Cut(a, "="); name == "audit-policy-file" || name == "admission-control-config-file" {
			out = append(out, file)
		}
	}
	return out
}
