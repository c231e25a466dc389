package node

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/cli"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/tui"
)

type consoleCmd struct{}

// Run shows the status console on the terminal that it was given. On the
// installed node that is tty1, by caisson-console.service.
func (consoleCmd) Run(r *run) error {
	in, isFile := r.in.(*os.File)
	out, _ := r.out.(*os.File)
	if !isFile || out == nil || !isTerminal(in) || !isTerminal(out) {
		return cli.BadUsage.New("cannot show the status console: have no terminal to read from and write to, need one").
			Hint("caisson-node status says the same to anything")
	}
	at := dressed(tui.Terminal{Name: "tty1", In: in, Out: out, Enlarge: enlarger(out)}, wishes(r.env.Cmdline()))
	return tui.ShowStatus(r.ctx, keeper{r}, r.now, at)
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// keeper is what the status console acts through.
type keeper struct{ r *run }

// How long the parts of a look may take, and a restart of a service.
const (
	lookPatience    = 4 * time.Second
	readyPatience   = 3 * time.Second
	registryMoment  = 2 * time.Second
	restartPatience = 3 * time.Minute
)

// Look says how the node is.
func (k keeper) Look(ctx context.Context) tui.NodeState {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	r := *k.r
	r.ctx = ctx
	n, err := load(r.root)
	if err != nil {
		return tui.NodeState{Damaged: err, Admins: admins(r.root)}
	}
	waits := make(chan string, 1)
	go func() { waits <- waitsFor(ctx, n.profile) }()
	s := glance(&r, n, registryMoment)
	out := tui.NodeState{
		Enclave: s.Enclave, Node: s.Node, Role: s.Role, Classification: n.enclave.Classification,
		Addresses: withoutPods(s.Addresses, n.enclave.Network.PodCIDR), Kubernetes: s.Kubernetes, Kubelet: s.Kubelet, Unit: strings.TrimSuffix(s.Unit, ".service"),
		Registry: s.Registry, Serves: s.serves, Cluster: s.Cluster, Member: s.member, OS: s.OS, Slot: s.Slot, Release: s.Release,
		Synchronised: r.env.Synchronised(), Server: len(n.answers.TimeServers(n.enclave)) > 0, Admins: admins(r.root), Shell: n.enclave.OS.RootShell, Network: k.wiring(n),
	}
	if c, ok := n.profile.(profiles.Certified); ok {
		out.Certificate, out.Until, out.CertificateErr = soonest(r.root, c.Certificates())
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Join(r.root, "var"), &fs); err == nil {
		out.VarUsed = size.Bytes(int64(fs.Blocks-fs.Bfree) * fs.Bsize)
		out.VarFree = size.Bytes(int64(fs.Bavail) * fs.Bsize)
	}
	rec, d, err := readRecord(r.root)
	out.Record, out.RecordErr = string(d), err
	if at, err := time.Parse(time.RFC3339, rec.Written); err == nil {
		out.Installed = at
	}
	out.Waits = <-waits
	return out
}

// waitsFor is what the profile first finds missing, or "".
func waitsFor(ctx context.Context, p profiles.Profile) string {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	missing := ""
	err := p.Ready(ctx, func(what string) { // one look is enough
		missing = what
		cancel()
	})
	if err == nil || missing != "" {
		return missing
	}
	if all := fault.All(err); len(all) > 0 {
		return all[0].Code + ": " + all[0].What
	}
	return err.Error()
}

// withoutPods leaves out the addresses of the pods' own network.
func withoutPods(addresses []string, podCIDR string) []string {
	pods, err := netip.ParsePrefix(podCIDR)
	if err != nil {
		return addresses
	}
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool {
		ip, err := netip.ParseAddr(a)
		return err == nil && pods.Contains(ip)
	})
}

// adminGroup is whose members may act as root (sudo(8)).
const adminGroup = "sudo"

// admins are the administrators who have a password, by name.
func admins(root string) []string {
	group, err := os.ReadFile(filepath.Join(root, "etc/group"))
	if err != nil {
		return nil
	}
	shadow, err := os.ReadFile(filepath.Join(root, "etc/shadow"))
	if err != nil {
		return nil
	}
	hashed := map[string]bool{}
	for line := range strings.Lines(string(shadow)) {
		if f := strings.Split(line, ":"); len(f) > 1 {
			hashed[f[0]] = strings.HasPrefix(f[1], "$") // locked ones begin with ! or *
		}
	}
	var out []string
	for line := range strings.Lines(string(group)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 4 || f[0] != adminGroup {
			continue
		}
		for _, name := range strings.Split(f[3], ",") {
			if hashed[name] {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answerTime is how long every answer to a password takes: how soon it comes says
// nothing about what was wrong.
const answerTime = time.Second

// Admit says whether that is the password of an administrator.
func (k keeper) Admit(ctx context.Context, user, password string) error {
	at := k.r.now().Add(answerTime)
	defer k.r.env.Until(ctx, at)
	err := k.admit(ctx, user, password)
	if err != nil {
		k.note(user + " was not let into the menu")
	}
	return err
}

func (k keeper) admit(ctx context.Context, user, password string) error {
	if !slices.Contains(admins(k.r.root), user) {
		return PasswordRefused.New("cannot open the menu: have %s, who is no administrator with a password, need one", user)
	}
	err := k.r.env.Password(ctx, user, password)
	if err == nil {
		k.note(user + " opened the menu")
	}
	return err
}

// note leaves a trace in the journal.
func (k keeper) note(what string) { fmt.Fprintln(k.r.errw, "console: "+what) }

// Do carries an act out.
func (k keeper) Do(ctx context.Context, a tui.Act) (string, error) {
	k.note(string(a))
	switch a {
	case tui.RestartKubernetes:
		return k.restartKubernetes(ctx)
	case tui.RestartRegistry:
		return "The registry was restarted.", k.restart(ctx, images.Unit)
	case tui.SaveBundle:
		return k.bundle(ctx)
	case tui.OpenShell:
		return k.shell(ctx)
	case tui.Reboot:
		return "This machine restarts.", k.r.env.Leave("reboot")
	case tui.PowerOff:
		return "This machine powers off.", k.r.env.Leave("poweroff")
	}
	return "", fmt.Errorf("the menu has no %q", a)
}

// shell is asked for only if the Spec allows it, and asks the Spec again.
func (k keeper) shell(ctx context.Context) (string, error) {
	n, err := load(k.r.root)
	if err == nil {
		err = mayShell(n.enclave)
	}
	if err == nil {
		err = k.r.env.Shell(ctx, "/dev/stdin")
	}
	k.note("the root shell has ended")
	return "The root shell has ended.", err
}

// restartKubernetes does not wait: RKE2 and K3s say that they have started once
// they have read their image archives, which takes minutes on a slow disk.
func (k keeper) restartKubernetes(ctx context.Context) (string, error) {
	n, err := load(k.r.root)
	if err != nil {
		return "", err
	}
	unit := profiles.Unit(n.profile, n.answers.Role)
	return strings.TrimSuffix(unit, ".service") + " restarts. The first line of the state says when the node is Ready.", k.restart(ctx, "--no-block", unit)
}

func (k keeper) restart(ctx context.Context, unit ...string) error {
	ctx, cancel := context.WithTimeout(ctx, restartPatience)
	defer cancel()
	return k.r.env.System(io.Discard).Run(ctx, system.Command{Argv: append([]string{"systemctl", "restart"}, unit...)})
}

func (k keeper) bundle(ctx context.Context) (string, error) {
	m, err := machine.Probe(k.r.env.Root())
	if err != nil {
		return "", err
	}
	about := "an installed node"
	if n, err := load(k.r.root); err == nil {
		about = n.manifest.Release + ", record " + recordDigest(k.r.root)
	}
	where, err := k.r.bundleOnStick(ctx, m, about)
	return "The support bundle is saved: " + where, err
}
