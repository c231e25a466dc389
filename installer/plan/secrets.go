package plan

import (
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/profiles"
)

// secretSteps places the secrets that the medium brings, on a node of a role that
// gets them. A Spec that names them and a medium without them, or the other way
// round, would give a node with another CA than the one that was meant.
func secretSteps(in Input, m bundle.Manifest, device string) ([]Step, error) {
	if named := in.Enclave.Secrets.Sealed; (named != "") != (m.Secrets != nil) {
		have, need := "no sealed secrets on the medium", named+", which its Spec names"
		if named == "" {
			have, need = "sealed secrets on the medium", "none: its Spec names none"
		}
		return nil, SecretsMissing.New("cannot set up the cluster's CA: have %s, need %s", have, need).
			Hint("the medium was made wrong: build it again")
	}
	if !NeedsSecrets(in.Profile, m, in.Answers.Role) {
		return nil, nil
	}
	only, err := chosen(in, m.Secrets.Files)
	if err != nil {
		return nil, err
	}
	for _, f := range m.Secrets.Files {
		if !writable(f.Path) {
			return nil, PayloadPath.New("cannot put a secret at %q: the node OS is read-only there, need a path below one of %s", f.Path, strings.Join(writableDirs(), ", "))
		}
	}
	return []Step{{Kind: PlaceSecrets, Device: device, Partition: nodeos.State, Digest: m.Secrets.Digest, Secrets: m.Secrets, Only: only}}, nil
}

// chosen names the secrets that the node gets; nil is all.
func chosen(in Input, files []bundle.SecretFile) ([]string, error) {
	c, ok := in.Profile.(profiles.SecretChooser)
	if !ok {
		return nil, nil
	}
	only := []string{}
	for _, f := range files {
		takes, err := c.TakesSecret(in.Enclave, in.Answers, f.Path)
		if err != nil {
			return nil, err
		}
		if takes {
			only = append(only, f.Path)
		}
	}
	return only, nil
}

// NeedsSecrets tells whether a node of the role gets secrets of the medium: then
// somebody has to open them.
func NeedsSecrets(p profiles.Profile, m bundle.Manifest, role string) bool {
	return m.Secrets != nil && profiles.TakesSecrets(p, role)
}

// authorities names the CAs for a person to compare with paper.
func authorities(s bundle.SealedSecrets) string {
	var out []string
	for _, c := range s.CAs {
		out = append(out, "CA "+c.Name+" "+string(c.Fingerprint))
	}
	return strings.Join(out, ", ")
}
