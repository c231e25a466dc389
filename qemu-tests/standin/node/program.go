// Package node is what RKE2 and K3s do to a node, as far as the node can tell: a
// stand-in for both, because their releases cannot be had where Caisson is
// tested. It reads the config as they do, looks at the host as they do, takes
// its images from the archives, writes the files that they write, opens their
// ports and tells systemd that it is up. It runs no container, no etcd and no
// Kubernetes, and what it has to say of the cluster is made up: a scenario with
// it proves what Caisson installed, and nothing about RKE2 or K3s.
//
// It follows the sources and documents of the two (rancher/rke2, k3s-io/k3s and their
// docs, lines 1.31 to 1.36); what was not found there, it does not do. Every line
// that it prints says stand-in. Programs rke2 and k3s, beside it, are this package under their names.
package node

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
)

// Program is one start of rke2 or k3s.
type Program struct {
	Product config.Product
	Server  bool // rke2 server, not rke2 agent
	Version string
	Root    string // "/" on a node, a tree in tests
	Out     io.Writer
	// Lax goes on where the real program would and a test wants to hear of it: a
	// key that is passed over, a registry outside.
	Lax       bool
	TokenWait time.Duration // 4 minutes: how long a token file may be late
	Listen    func(address string) (net.Listener, error)
	Dial      func(ctx context.Context, network, address string) (net.Conn, error) // to the server that an agent joins
	Notify    func(state string) error

	version release.Version
	keys    keys
	archive []string // images found in the archives
	tls     *authority
}

// Run starts it and serves until ctx ends. An error is a fatal one: the real
// program would end, and systemd start it again.
func (p *Program) Run(ctx context.Context) error {
	p.defaults()
	logrus.SetOutput(&lines{to: p.Out, head: p.head() + " "}) // wharfie's voice
	p.say("%s", standin.Mark)
	p.say("Starting %s %s %s", p.Product, p.Version, p.command())
	var err error
	if p.version, err = release.Parse(release.Product(p.Product), p.Version); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		p.readConfig, p.checkHost, p.checkNetwork, p.readToken, p.readRegistries, p.stageRuntime, p.importImages, p.startKubelet, p.writeFiles, p.serve,
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	if p.Server {
		p.say("%s is up and running", p.Product)
	} else {
		p.say("%s agent is up and running", p.Product)
	}
	if err := p.Notify("READY=1"); err != nil {
		return fmt.Errorf("cannot tell systemd: %w", err)
	}
	<-ctx.Done()
	return nil
}

func (p *Program) defaults() {
	if p.Listen == nil {
		p.Listen = func(a string) (net.Listener, error) { return net.Listen("tcp", a) }
	}
	if p.Dial == nil {
		p.Dial = (&net.Dialer{}).DialContext
	}
	if p.Notify == nil {
		p.Notify = notify
	}
	if p.TokenWait == 0 {
		p.TokenWait = 4 * time.Minute
	}
}

func (p *Program) command() string {
	if p.Server {
		return "server"
	}
	return "agent"
}

func (p *Program) head() string { return "stand-in " + string(p.Product) + ":" }

func (p *Program) say(format string, args ...any) {
	l := lines{to: p.Out, head: p.head() + " "}
	_, _ = l.Write([]byte(fmt.Sprintf(format, args...) + "\n"))
}

// path is a file of the node; data one below the program's own folder.
func (p *Program) path(parts ...string) string {
	return filepath.Join(append([]string{p.Root}, parts...)...)
}

func (p *Program) dataDir() string {
	return p.keys.text("data-dir", "/var/lib/rancher/"+string(p.Product))
}

func (p *Program) data(parts ...string) string {
	return p.path(append([]string{p.dataDir()}, parts...)...)
}

func (p *Program) etc(parts ...string) string {
	return p.path(append([]string{"/etc/rancher", string(p.Product)}, parts...)...)
}

// lines puts a head before each line.
type lines struct {
	mu   sync.Mutex
	to   io.Writer
	head string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(b)) {
		if _, err := io.WriteString(l.to, l.head+strings.TrimRight(line, "\n")+"\n"); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// notify is sd_notify(3): one datagram to the socket that systemd names.
func notify(state string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	if name[0] == '@' {
		name = "\x00" + name[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
