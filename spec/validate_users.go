package spec

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The form that Debian's adduser accepts (adduser.conf, NAME_REGEX), which
// every tool on the node can handle.
var userForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

func (p *problems) users(path string, users []User) {
	names := owners{}
	for i, u := range users {
		at := item(path, i)
		switch {
		case !userForm.MatchString(u.Name):
			p.bad(child(at, "name"), quoted(u.Name), "1 to 32 of a-z, 0-9, _ and -, a letter first", "")
		case SystemName(u.Name):
			p.bad(child(at, "name"), quoted(u.Name)+", an account or group of the system", "a name of your own", "give a person's account admin: true to let it act as root")
		}
		p.once(names, child(at, "name"), u.Name, at, "each user once")
		if len(u.SSHKeys) == 0 && u.PasswordHash == "" {
			p.add(p.missing, at, "neither sshKeys nor passwordHash", "at least one: the user could never log in", "")
		}
		for j, key := range u.SSHKeys {
			if why := KeyProblem(key); why != "" {
				p.bad(child(at, item("sshKeys", j)), why, "one line of an OpenSSH public key file, as in id_ed25519.pub", "")
			}
		}
		if u.PasswordHash != "" && !strongHash(u.PasswordHash) {
			// The value is not shown: it may be a password.
			p.bad(child(at, "passwordHash"), fmt.Sprintf("text of %d characters in no accepted form", len(u.PasswordHash)),
				"a yescrypt, bcrypt, SHA-512 or SHA-256 hash (crypt(5))", "make one with: mkpasswd --method=yescrypt")
		}
	}
}

// The hashing methods of crypt(5) that are still called strong there, each with
// its prefix and the form of its settings and hash.
var hashForms = []*regexp.Regexp{
	regexp.MustCompile(`^\$(y|gy)\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{0,86}\$[./A-Za-z0-9]{43}$`),
	regexp.MustCompile(`^\$7\$[./A-Za-z0-9]{11,97}\$[./A-Za-z0-9]{43}$`),
	regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`),
	regexp.MustCompile(`^\$6\$(rounds=[1-9][0-9]+\$)?[^$:\n]{1,16}\$[./0-9A-Za-z]{86}$`),
	regexp.MustCompile(`^\$5\$(rounds=[1-9][0-9]+\$)?[^$:\n]{1,16}\$[./0-9A-Za-z]{43}$`),
}

func strongHash(s string) bool {
	return slices.ContainsFunc(hashForms, func(f *regexp.Regexp) bool { return f.MatchString(s) })
}

// keyTypes are the public key algorithms that Debian 13's sshd accepts; DSA is gone.
var keyTypes = []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
	"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}

// KeyProblem says what is wrong with a line of a public key file, or "". The
// blob must begin with its own type (RFC 4253 section 6.6). Options before the
// type (command="...") are refused: they belong in a file of the site's own.
func KeyProblem(line string) string {
	if strings.Contains(line, "PRIVATE KEY") {
		return "a private key"
	}
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return fmt.Sprintf("%d words", len(fields))
	}
	if !slices.Contains(keyTypes, fields[0]) {
		return "the key type " + quoted(fields[0])
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return "a key that is not base64"
	}
	var parts []string
	for rest := blob; len(rest) > 0; {
		if len(rest) < 4 {
			return "a key cut short"
		}
		n := binary.BigEndian.Uint32(rest)
		if uint64(n) > uint64(len(rest)-4) {
			return "a key cut short"
		}
		parts, rest = append(parts, string(rest[4:4+n])), rest[4+n:]
	}
	if len(parts) < 2 || parts[0] != fields[0] {
		return "a key of another type than its first word says"
	}
	const leastRSA = 2048 / 8 // bytes; NIST SP 800-131A revision 2
	if fields[0] == "ssh-rsa" && (len(parts) != 3 || len(strings.TrimLeft(parts[2], "\x00")) < leastRSA) {
		return "an RSA key of less than 2048 bits"
	}
	if fields[0] == "ssh-ed25519" && (len(parts) != 2 || len(parts[1]) != 32) {
		return "an Ed25519 key that is not 32 bytes long"
	}
	return ""
}
