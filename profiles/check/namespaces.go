package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/cluster"
)

// patience bounds a question to the API server.
const patience = 15 * time.Second

// Admission is the part of an AdmissionConfiguration that says what pods of a
// namespace may do which says nothing of it, and where nobody is asked.
type Admission struct {
	Plugins []struct {
		Name          string `json:"name"`
		Configuration struct {
			Defaults struct {
				Enforce string `json:"enforce"`
			} `json:"defaults"`
			Exemptions struct {
				Namespaces []string `json:"namespaces"`
			} `json:"exemptions"`
		} `json:"configuration"`
	} `json:"plugins"`
}

// podSecurity is the level where a namespace has none, and the exempt namespaces.
func (a Admission) podSecurity() (level string, exempt []string) {
	for _, p := range a.Plugins {
		if p.Name == "PodSecurity" {
			return p.Configuration.Defaults.Enforce, p.Configuration.Exemptions.Namespaces
		}
	}
	return "", nil
}

// The Pod Security Standards that refuse a thing (kubernetes.io, Pod Security
// Standards), loosest first.
var levels = []string{"privileged", "baseline", "restricted"}

// refusedBy is the loosest standard that refuses what a line is about.
var refusedBy = map[string]string{
	"5.2.2": "baseline", "5.2.3": "baseline", "5.2.4": "baseline", "5.2.5": "baseline",
	"5.2.6": "restricted", "5.2.7": "restricted", "5.2.8": "restricted", addedCapabilities: "restricted", "5.2.9": "restricted",
	"5.2.10": "baseline", "5.2.11": "baseline", "5.2.12": "baseline",
}

// Namespaces are the lines of section 5 that the cluster itself answers: conf is
// the administrator's kubeconfig, admission reads what the API server was started
// with. They only read.
func Namespaces(conf string, admission func(root string) (Admission, error)) []profiles.Check {
	n := namespaces{conf, admission}
	out := []profiles.Check{
		Of("5.2.1", title("5.2.1"), n.policy),
		n.line("5.1.5", "automountServiceAccountToken: false for each", n.accounts),
		n.line("5.3.2", "one in each but kube-node-lease, where no pod runs", n.policies),
	}
	for name, level := range refusedBy {
		out = append(out, n.line(name, "enforce: "+level+" or more in each", n.enforce(level)))
	}
	return out
}

type namespaces struct {
	conf      string
	admission func(root string) (Admission, error)
}

// question is what a line asks the API server: what is so, and whether it is good.
type question func(ctx context.Context, root string, a *cluster.API) (have string, ok bool, err error)

func (n namespaces) line(name, want string, ask question) profiles.Check {
	return profiles.Check{Name: name, ID: name, Title: title(name), Run: func(ctx context.Context, root string) profiles.Result {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		a, err := cluster.Connect(root, n.conf)
		if err != nil {
			return Unreadable(err, want)
		}
		defer a.Client.CloseIdleConnections()
		have, ok, err := ask(ctx, root, a)
		if err != nil {
			return Unreadable(err, want)
		}
		return Verdict(ok, have, want)
	}}
}

func (n namespaces) policy(root string) profiles.Result {
	const want = "PodSecurity with a level of its own"
	c, err := n.admission(root)
	if err != nil {
		return Unreadable(err, want)
	}
	level, _ := c.podSecurity()
	return Verdict(slices.Index(levels, level) > 0, "enforce: "+level, want)
}

// object is what is looked at of a Namespace, a NetworkPolicy and a ServiceAccount.
type object struct {
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	Automount *bool `json:"automountServiceAccountToken"`
}

// list reads all objects; a cluster has at least one of what is read here, so that
// none is no answer.
func list(ctx context.Context, a *cluster.API, path string) ([]object, error) {
	var l struct {
		Items []object `json:"items"`
	}
	if err := a.Get(ctx, path, &l); err != nil {
		return nil, err
	}
	if len(l.Items) == 0 {
		return nil, fmt.Errorf("have none in %s", path)
	}
	return l.Items, nil
}

func (namespaces) accounts(ctx context.Context, _ string, a *cluster.API) (string, bool, error) {
	all, err := list(ctx, a, "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault")
	if err != nil {
		return "", false, err
	}
	var bad []string
	for _, o := range all {
		if o.Automount == nil || *o.Automount {
			bad = append(bad, o.Metadata.Namespace)
		}
	}
	return among(len(all), bad)
}

func (namespaces) policies(ctx context.Context, _ string, a *cluster.API) (string, bool, error) {
	all, err := list(ctx, a, "/api/v1/namespaces")
	if err != nil {
		return "", false, err
	}
	policies, err := list(ctx, a, "/apis/networking.k8s.io/v1/networkpolicies")
	if err != nil {
		return "", false, err
	}
	var bad []string
	for _, o := range all {
		name := o.Metadata.Name
		if name != "kube-node-lease" && !slices.ContainsFunc(policies, func(p object) bool { return p.Metadata.Namespace == name }) {
			bad = append(bad, name)
		}
	}
	return among(len(all), bad)
}

// enforce: a namespace's own label counts before the default; the exempt ones are
// named in what is had, for a person to see.
func (n namespaces) enforce(least string) question {
	return func(ctx context.Context, root string, a *cluster.API) (string, bool, error) {
		c, err := n.admission(root)
		if err != nil {
			return "", false, err
		}
		def, exempt := c.podSecurity()
		all, err := list(ctx, a, "/api/v1/namespaces")
		if err != nil {
			return "", false, err
		}
		var bad []string
		for _, o := range all {
			level, ok := o.Metadata.Labels["pod-security.kubernetes.io/enforce"]
			if !ok {
				level = def
			}
			if !slices.Contains(exempt, o.Metadata.Name) && slices.Index(levels, level) < slices.Index(levels, least) {
				bad = append(bad, o.Metadata.Name)
			}
		}
		have, good, err := among(len(all), bad)
		return have + "; exempt: " + strings.Join(exempt, ", "), good, err
	}
}

// among says how many namespaces there are, or which of them are not so.
func among(all int, bad []string) (string, bool, error) {
	if len(bad) > 0 {
		slices.Sort(bad)
		return "not in " + strings.Join(bad, ", "), false, nil
	}
	return fmt.Sprintf("so in %d namespaces", all), true, nil
}
