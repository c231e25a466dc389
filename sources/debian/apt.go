package debian

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"caisson.dev/caisson/bundle"
)

// root is a folder in which apt sees one archive and no installed package. It
// stays in the Store between runs, so that only changed lists are fetched.
type root struct{ dir string }

// root readies the folder for the want's archive; unlock ends its use.
func (s *Source) root(ctx context.Context, d bundle.DebianWant) (root, func(), error) {
	keyring := s.Keyring
	if keyring == "" {
		keyring = DefaultKeyring
	}
	if _, err := os.Stat(keyring); err != nil {
		return root{}, nil, KeyringMissing.New("cannot check Debian's signature: have no file %s, need Debian's keys: %w", keyring, err).
			Hint("apt-get install debian-archive-keyring")
	}
	list := sourcesList(d, keyring)
	dir, err := s.Store.WorkDir("apt", list+d.Arch)
	if err != nil {
		return root{}, nil, err
	}
	unlock, err := s.Store.Lock(ctx, dir)
	if err != nil {
		return root{}, nil, err
	}
	r := root{dir: dir}
	if err := s.ready(ctx, r, list, d.Arch); err != nil {
		unlock()
		return root{}, nil, err
	}
	return r, unlock, nil
}

// ready writes the configuration and, once in a run, brings the lists up to date.
func (s *Source) ready(ctx context.Context, r root, list, arch string) error {
	s.mu.Lock()
	fresh := s.updated[r.dir]
	s.mu.Unlock()
	if fresh {
		return nil
	}
	for _, d := range []string{"etc/parts", "etc/preferences.d", "etc/sources.list.d", "state/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"apt.conf": config(r.dir, arch), "etc/sources.list": list, "status": ""} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
			return s.Store.DiskFault(err, int64(len(text)))
		}
	}
	// Without the error mode a list that did not come is a warning, and an old
	// one from an earlier run would be used.
	if _, said, err := r.apt(ctx, "-qq", "-o", "APT::Update::Error-Mode=any", "update"); err != nil {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case AptMissing.Is(err):
			return err
		case distrust.MatchString(said):
			return Untrusted.New("cannot trust the archive: %s", said).
				Hint("bring debian-archive-keyring up to date, check this machine's clock, and that the mirror is a true copy")
		}
		return ArchiveFailed.New("cannot read the archive's lists: %s", said).Hint("check the mirror's address and the network")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.updated == nil {
		s.updated = map[string]bool{}
	}
	s.updated[r.dir] = true
	return nil
}

// distrust is how apt speaks of signatures and dates.
var distrust = regexp.MustCompile(`(?i)NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|REVKEYSIG|signature|is expired|not valid yet|hash sum mismatch`)

// snapshot tells an archive as it was at one time: its lists are old by intent,
// so only the signature is asked, not the date until which it holds.
var snapshot = regexp.MustCompile(`/[0-9]{8}T[0-9]{6}Z(/|$)`)

func sourcesList(d bundle.DebianWant, keyring string) string {
	var b strings.Builder
	line := func(mirror, suite string) {
		options := "signed-by=" + keyring
		if snapshot.MatchString(mirror) {
			options += " check-valid-until=no"
		}
		fmt.Fprintf(&b, "deb [%s] %s %s %s\n", options, mirror, suite, strings.Join(d.Components, " "))
	}
	line(d.Mirror, d.Suite)
	if d.Security != "" {
		line(d.Mirror, d.Suite+"-updates")
		line(d.Security, d.Suite+"-security")
	}
	return b.String()
}

// config is apt's whole configuration. APT_CONFIG is read before the machine's
// own files (apt.conf(5)), and sends apt to this root for all the rest.
func config(dir, arch string) string {
	return fmt.Sprintf(`Dir "%[1]s";
Dir::Etc "etc";
Dir::Etc::main "none";
Dir::Etc::parts "parts";
Dir::Etc::sourcelist "sources.list";
Dir::Etc::sourceparts "sources.list.d";
Dir::Etc::preferences "none";
Dir::Etc::preferencesparts "preferences.d";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::State "state";
Dir::State::status "%[1]s/status";
Dir::Cache "cache";
Dir::Log "log";
APT::Architecture "%[2]s";
APT::Architectures { "%[2]s"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::GzipIndexes "false";
Acquire::Retries "3";
`, dir, arch)
}

// apt runs apt-get in the root; said is its complaint, for people.
func (r root) apt(ctx context.Context, args ...string) (out, said string, err error) {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, r.dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(r.dir, "apt.conf"), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	err = cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", "", AptMissing.New("cannot resolve Debian packages: have no command apt-get, need apt").
			Hint("lock on a Debian or Ubuntu machine; pull and build need no apt")
	}
	said = strings.TrimSpace(stderr.String())
	if said == "" && err != nil {
		said = err.Error()
	}
	return stdout.String(), said, err
}

// base is every package that each Debian system has: Essential, and priority
// required (Debian Policy 3.8 and 2.5). Sorted.
func (r root) base() ([]string, error) {
	lists, err := filepath.Glob(filepath.Join(r.dir, "state", "lists", "*_Packages"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, list := range lists {
		f, err := os.Open(list)
		if err != nil {
			return nil, err
		}
		name := ""
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20) // some Depends fields are long
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "Package: "):
				name = strings.TrimPrefix(line, "Package: ")
			case line == "Essential: yes" || line == "Priority: required":
				names = append(names, name)
			}
		}
		_ = f.Close()
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return nil, ArchiveFailed.New("cannot find the essential packages: have none in %d lists of the archive, need some", len(lists))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
