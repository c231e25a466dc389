package kubeadm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/spec"
)

// kubeadm itself judges the file that it is given on either role, whoever's
// program is named: a field that it does not know is an error to it.
func TestKubeadmAccepts(t *testing.T) {
	program := os.Getenv("CAISSON_TEST_KUBEADM")
	if program == "" {
		t.Skip("CAISSON_TEST_KUBEADM names no kubeadm: kubeadm.yaml is not judged by it")
	}
	out, err := exec.Command(program, "version", "--output=short").CombinedOutput()
	if err != nil {
		t.Fatalf("%s version: %v\n%s", program, err, out)
	}
	in := input(spec.ControlPlane)
	in.Enclave.Kubernetes.Version = strings.TrimSpace(string(out))
	validate := func(t *testing.T, config string) (string, error) {
		t.Helper()
		dir := t.TempDir()
		// kubeadm looks whether the file is there that a person brings to a worker.
		write(t, dir, "discovery.conf", nil)
		config = strings.ReplaceAll(config, "/etc/kubernetes/discovery.conf", filepath.Join(dir, "discovery.conf"))
		file := filepath.Join(dir, "kubeadm.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, "config", "validate", "--config="+file).CombinedOutput()
		return string(out), err
	}
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		t.Run(role, func(t *testing.T) {
			in := in
			in.Answers.Role = role
			config := fileOf(t, render(t, in), "/etc/kubernetes/kubeadm.yaml")
			if out, err := validate(t, config); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			// The judge judges.
			if out, err := validate(t, strings.Replace(config, "criSocket:", "criSockets:", 1)); err == nil {
				t.Errorf("kubeadm takes a field that does not exist: %s", out)
			}
		})
	}
}
