package apply

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/system"
)

// configure lets Ignition write the node's configuration into the tree, then
// applies the presets, so that the units it enables are links on the disk. Its
// own files stay in memory, and little of what it says is shown: the
// configuration can hold secrets.
func (r *run) configure(ctx context.Context, s plan.Step) error {
	config, _ := r.plan.Content(s.Digest)
	path := r.Work + "/ignition.json"
	if err := r.System.WriteFile(path, 0o600, bytes.NewReader(config)); err != nil {
		return err
	}
	for _, stage := range []string{"fetch-offline", "files"} {
		err := r.System.Run(ctx, system.Command{
			Argv: []string{r.Ignition, "--platform=file", "--stage=" + stage, "--root=" + r.root(),
				"--config-cache=" + r.Work + "/ignition-cache.json", "--state-file=" + r.Work + "/ignition-state.json",
				"--neednet=" + r.Work + "/ignition-neednet", "--log-to-stdout"},
			Env:  []string{"IGNITION_CONFIG_FILE=" + path},
			Show: unsecret,
		})
		if err != nil {
			return err
		}
	}
	if err := r.System.Run(ctx, system.Command{Argv: []string{"systemctl", "--quiet", "--root=" + r.root(), "preset-all"}}); err != nil {
		return err
	}
	return r.System.Sync(r.root() + "/var")
}

// crypted is a password's hash in the form of crypt(5).
var crypted = regexp.MustCompile(`\$[0-9A-Za-z]+\$[^\s"'\\]+`)

// unsecret shows only Ignition's complaints, and those without password hashes:
// when it fails it prints the whole configuration, and on its way it prints every
// command with its arguments.
func unsecret(line string) string {
	if !strings.HasPrefix(line, "CRITICAL") && !strings.HasPrefix(line, "ERR") && !strings.HasPrefix(line, "WARNING") {
		return ""
	}
	return crypted.ReplaceAllString(line, "(hash not shown)")
}
