package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"caisson.dev/caisson/profiles"
)

// Pods is the folder of the node's static pods. Its tests are about the command
// line of the component whose pod file is there.
type Pods string

// Flags reads the command line in a static pod's file: flag -> value, "" for
// a flag without one.
func (p Pods) Flags(root, component string) (map[string]string, error) {
	raw, err := os.ReadFile(filepath.Join(root, string(p), component+".yaml"))
	if err != nil {
		return nil, err
	}
	var pod struct {
		Spec struct {
			Containers []struct {
				Command []string `json:"command"`
				Args    []string `json:"args"`
			} `json:"containers"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(raw, &pod); err != nil {
		return nil, err
	}
	if len(pod.Spec.Containers) != 1 {
		return nil, fmt.Errorf("the pod of %s has %d containers, need 1", component, len(pod.Spec.Containers))
	}
	out := map[string]string{}
	for _, arg := range slices.Concat(pod.Spec.Containers[0].Command, pod.Spec.Containers[0].Args) {
		if name, ok := strings.CutPrefix(arg, "--"); ok {
			name, value, _ := strings.Cut(name, "=")
			out[name] = value
		}
	}
	return out, nil
}

// Judge decides on a flag's value; set tells whether it is there at all.
type Judge func(value string, set bool) bool

// Flag is a check of one flag of a component.
func (p Pods) Flag(component, name, want string, ok Judge) Test {
	return func(root string) profiles.Result {
		flags, err := p.Flags(root, component)
		if err != nil {
			return Unreadable(err, want)
		}
		value, set := flags[name]
		have := "--" + name + " is not set"
		if set {
			have = "--" + name + "=" + value
		}
		return Verdict(ok(value, set), have, want)
	}
}

// Is: the flag is set to exactly this.
func (p Pods) Is(component, name, value string) Test {
	return p.Flag(component, name, "--"+name+"="+value, func(have string, _ bool) bool { return have == value })
}

// IsSet: every one of the flags has a value.
func (p Pods) IsSet(component string, names ...string) Test {
	return func(root string) profiles.Result {
		for _, n := range names {
			r := p.Flag(component, n, "--"+n+" with a value", func(v string, _ bool) bool { return v != "" })(root)
			if r.Status != Pass || n == names[len(names)-1] {
				return r
			}
		}
		return profiles.Result{Status: NotApplicable}
	}
}

// IsNot: the flag is not there, or has another value.
func (p Pods) IsNot(component, name, value string) Test {
	return p.Flag(component, name, "--"+name+" not "+value, func(have string, set bool) bool { return !set || have != value })
}

// Has: the flag's list holds the element.
func (p Pods) Has(component, name, element string) Test {
	return p.Flag(component, name, "--"+name+" with "+element, func(v string, _ bool) bool {
		return slices.Contains(strings.Split(v, ","), element)
	})
}

// Lacks: the flag's list does not hold the element.
func (p Pods) Lacks(component, name, element string) Test {
	return p.Flag(component, name, "--"+name+" without "+element, func(v string, _ bool) bool {
		return !slices.Contains(strings.Split(v, ","), element)
	})
}

// Absent: the flag is not there.
func (p Pods) Absent(component, name string) Test {
	return p.Flag(component, name, "--"+name+" not set", func(_ string, set bool) bool { return !set })
}

// AtLeast: the flag is a whole number of least or more.
func (p Pods) AtLeast(component, name string, least int) Test {
	return p.Flag(component, name, fmt.Sprintf("--%s of %d or more", name, least), func(v string, _ bool) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= least
	})
}
