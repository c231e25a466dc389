package kubeadm

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles/cluster"
)

// applyTries is how often a refused apply is tried again: a manifest may need
// one that was applied a moment ago to have taken effect (a CRD, a webhook).
const applyTries = 5

// ApplyManifests applies the manifests in dir with kubectl, in name order.
func (p Profile) ApplyManifests(ctx context.Context, dir string, report func(string)) error {
	files, err := cluster.ManifestFiles(filepath.Join(p.root, dir))
	if err != nil || len(files) == 0 {
		return err
	}
	tries := 0
	last, err := cluster.Until(ctx, report, func(ctx context.Context) (string, error) {
		tries++
		out, err := kubectl(ctx, append([]string{"apply"}, flags("--filename=", files)...)...)
		if err == nil {
			report(fmt.Sprintf("applied %d manifests", len(files)))
			return "", nil
		}
		if tries == applyTries {
			return "", cluster.ManifestRefused.New("cannot apply the manifests in %s: have %q, need them accepted: %w", dir, answer(out, err), err).
				Hint("`kubectl --kubeconfig %s apply -f %s` shows each answer", adminConf, dir)
		}
		return fmt.Sprintf("the manifests to be accepted (%s)", answer(out, err)), nil
	})
	if err == nil && last != "" {
		return cluster.ManifestRefused.New("cannot apply the manifests in %s: %w, still waiting for %s", dir, context.Cause(ctx), last)
	}
	return err
}

// WaitWorkloads waits until what the manifests in dir run is ready.
func (p Profile) WaitWorkloads(ctx context.Context, dir string, report func(string)) error {
	return cluster.WaitWorkloads(ctx, p.root, adminConf, dir, report)
}

func flags(flag string, values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, flag+v)
	}
	return out
}

func kubectl(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binDir+"kubectl", append([]string{"--kubeconfig=" + adminConf}, args...)...)
	// Its cache of the API goes where the next boot forgets it.
	cmd.Env = []string{"HOME=/run/caisson", searchPath, "KUBECACHEDIR=/run/caisson/kubectl"}
	return cmd.CombinedOutput()
}

// answer is the last line that kubectl wrote: what it did comes first, what it
// could not do last.
func answer(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return cluster.FirstLine(last)
	}
	return err.Error()
}
