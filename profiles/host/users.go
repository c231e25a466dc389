package host

import (
	"cmp"
	"maps"
	"slices"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// adminGroups let a person use sudo and read the logs.
var adminGroups = []ignition.Group{"adm", "sudo", "systemd-journal"}

// consoleLogin makes the node OS offer a login at its consoles (getty): of use
// only to somebody with a password, and the only way into a node without a
// network card.
const consoleLogin = "/etc/caisson/console-login"

// Users is the Spec's users with those of the Answers over them, by name, and
// the files that let them in and act.
func Users(in profiles.RenderInput) ([]ignition.PasswdUser, []images.ServiceFile) {
	byName := map[string]spec.User{}
	for _, u := range slices.Concat(in.Enclave.Users, in.Answers.Users) {
		byName[u.Name] = u
	}
	var users []ignition.PasswdUser
	var rules []images.ServiceFile
	password := false
	for _, u := range slices.SortedFunc(maps.Values(byName), func(a, b spec.User) int { return cmp.Compare(a.Name, b.Name) }) {
		p := ignition.PasswdUser{Name: u.Name}
		if u.PasswordHash != "" {
			p.PasswordHash = util.StrToPtr(u.PasswordHash)
			password = true
		}
		for _, k := range u.SSHKeys {
			p.SSHAuthorizedKeys = append(p.SSHAuthorizedKeys, ignition.SSHAuthorizedKey(k))
		}
		if u.Name != "root" {
			p.Shell = util.StrToPtr("/bin/bash")
			if u.Admin {
				p.Groups = adminGroups
			}
			// With no password there is none to ask for: the SSH key is the proof.
			if u.Admin && u.PasswordHash == "" {
				rules = append(rules, images.ServiceFile{Path: "/etc/sudoers.d/60-caisson-" + u.Name, Mode: 0o440,
					Data: []byte(u.Name + " ALL=(ALL:ALL) NOPASSWD: ALL\n")})
			}
		}
		users = append(users, p)
	}
	if password {
		rules = append(rules, images.ServiceFile{Path: consoleLogin, Mode: 0o644, Data: []byte("A user of this node has a password.\n")})
	}
	return users, rules
}
