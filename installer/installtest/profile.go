package installtest

import (
	"context"
	"time"

	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// Profile is a way of running nothing: its node gets one file and one unit. It
// keeps the installer's golden files apart from what real profiles render.
type Profile struct {
	Source string // of the one file; empty means "data:,hello"
}

func (Profile) Name() string                                         { return "kubeadm" }
func (Profile) Wants(spec.Enclave) ([]bundle.Want, error)            { return nil, nil }
func (Profile) Recipes(spec.Enclave) ([]images.Recipe, error)        { return nil, nil }
func (Profile) Payload(spec.Enclave) ([]profiles.PayloadFile, error) { return nil, nil }
func (Profile) Checks(string, string) []profiles.Check               { return nil }
func (Profile) Ready(context.Context, func(string)) error            { return nil }
func (Profile) Needs(string) profiles.Needs {
	return profiles.Needs{Memory: 4 * size.GiB, Disk: 8 * size.GiB, CPUs: 2}
}

// TakesSecrets and MakeSecrets are those of a profile whose control planes get
// secrets; nothing makes any.
func (Profile) TakesSecrets(role string) bool                               { return role == spec.ControlPlane }
func (Profile) MakeSecrets(spec.Enclave, time.Time) ([]secrets.File, error) { return nil, nil }

// PasswordHash is of the user that Render makes: a secret, to be seen nowhere.
const PasswordHash = "$y$j9T$saltsaltsalt$hashhashhashhashhashhash"

// Render gives the node its name, a file and a unit.
func (p Profile) Render(in profiles.RenderInput) (ignition.Config, error) {
	source, name, unit, yes := p.Source, "data:,"+in.Answers.Name, "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n", true
	if source == "" {
		source = "data:,hello"
	}
	var c ignition.Config
	c.Ignition.Version = ignition.MaxVersion.String()
	overwrite, hash := true, PasswordHash
	file := func(path string, source *string) ignition.File {
		return ignition.File{Node: ignition.Node{Path: path, Overwrite: &overwrite}, FileEmbedded1: ignition.FileEmbedded1{Contents: ignition.Resource{Source: source}}}
	}
	c.Storage.Files = []ignition.File{file("/etc/caisson/hello", &source), file("/etc/hostname", &name)}
	c.Systemd.Units = []ignition.Unit{{Name: "caisson-test.service", Enabled: &yes, Contents: &unit}}
	c.Passwd.Users = []ignition.PasswdUser{{Name: "ops", PasswordHash: &hash}}
	return c, nil
}
