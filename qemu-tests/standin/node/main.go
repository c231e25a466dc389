package node

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/config"
)

// Variables of the environment, for tests: where the node's tree is, and that
// what the real program lives with is no end.
const (
	envRoot = "CAISSON_STAND_IN_ROOT"
	envLax  = "CAISSON_STAND_IN_LAX"
)

// Main is the program rke2 or k3s: server, agent and --version. It returns the
// exit status.
func Main(product config.Product, version string, args []string) int {
	p := &Program{Product: product, Version: version, Root: "/", Out: os.Stderr, Lax: os.Getenv(envLax) != ""}
	if root := os.Getenv(envRoot); root != "" {
		p.Root = root
	}
	switch strings.Join(args, " ") {
	case "--version", "-v":
		fmt.Printf("%s version %s (stand-in)\n%s\n", product, version, standin.Mark)
		return 0
	case "server":
		p.Server = true
	case "agent":
	default:
		p.say("level=fatal msg=\"cannot do %q: a stand-in knows server, agent and --version\"", strings.Join(args, " "))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := p.Run(ctx); err != nil && ctx.Err() == nil {
		p.say("level=fatal msg=%q", err)
		return 1
	}
	return 0
}
