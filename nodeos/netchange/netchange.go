// Package netchange puts other network files onto an installed node, so that
// they come back by themselves: after Patience, or at the next start, unless a
// person confirmed them. Switch writes down what was there before it touches
// anything; what Keep does counts with one rename; Revert may run any number of times, by a timer,
// at boot, or by hand.
//
// It decides nothing: which files, and whether they may change, a profile says
// (profiles.NetworkChanger). The status console and caisson-network-revert.service
// are its callers.
package netchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// Where changes are kept, and what a node's network is since the last one.
const (
	Dir     = "/var/lib/caisson/network"
	Current = "/var/lib/caisson/network.json"
	pending = Dir + "/pending.json"
)

// Patience is how long a change waits for somebody to confirm it, as Timer does.
const Patience = time.Minute

// The units of the node OS that bring the old network back.
const (
	Timer   = "caisson-network-revert.timer"
	Service = "caisson-network-revert.service"
)

// How a change ended.
const (
	Kept     = "kept"
	Reverted = "reverted"
)

// Change is a change of the network as it is kept on the node: before it is
// confirmed the way back, and then the evidence.
type Change struct {
	By      string                `json:"by"`
	Begun   time.Time             `json:"begun"`
	Boot    string                `json:"boot"` // the kernel's boot_id
	Old     spec.NodeNetwork      `json:"old"`
	New     spec.NodeNetwork      `json:"new"`
	Files   []profiles.FileChange `json:"files"`
	Restart []string              `json:"restart,omitempty"`
	Ended   time.Time             `json:"ended,omitzero"`
	Result  string                `json:"result,omitempty"`
}

// Until is when the old network comes back.
func (c Change) Until() time.Time { return c.Begun.Add(Patience) }

// Node is the machine that a change is made on.
type Node struct {
	Root string                                          // "/" but in tests
	Run  func(ctx context.Context, argv ...string) error // runs a program of the node OS
	Now  func() time.Time
	Wait time.Duration // for a link to appear; 0 means ten seconds
}

// NetworkOf is the node's network: of the last change, else from the answers.
func NetworkOf(root string, from spec.NodeNetwork) (spec.NodeNetwork, error) {
	raw, err := os.ReadFile(filepath.Join(root, Current))
	if errors.Is(err, fs.ErrNotExist) {
		return from, nil
	}
	if err != nil {
		return from, err
	}
	var n spec.NodeNetwork
	if err := json.Unmarshal(raw, &n); err != nil {
		return from, fmt.Errorf("%s: %w", Current, err)
	}
	return n, nil
}

// Pending is the change that waits to be confirmed; false if there is none.
func (n Node) Pending() (Change, bool, error) {
	var c Change
	raw, err := os.ReadFile(n.path(pending))
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return c, false, Damaged.New("cannot read the change of the network in %s: %w", pending, err).
			Hint("the node keeps the network that it has; journalctl says what was done")
	}
	return c, c.Result == "", nil
}

// Switch puts a new network into force. If anything fails, the old one is back
// when it returns.
func (n Node) Switch(ctx context.Context, by string, old, to spec.NodeNetwork, what profiles.NetworkChange) (Change, error) {
	unlock, err := n.lock()
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	if _, waits, err := n.Pending(); err != nil || waits {
		if err == nil {
			err = Waiting.New("cannot change the network: have a change that nobody confirmed yet, need it to be settled").
				Hint("confirm it, or wait a minute: the old settings come back")
		}
		return Change{}, err
	}
	c := Change{By: by, Begun: n.Now().UTC(), Boot: n.boot(), Old: old, New: to, Files: what.Files, Restart: what.Restart}
	current, err := n.current(to)
	if err != nil {
		return c, err
	}
	c.Files = append(c.Files, current)
	if err := n.put(c, pending); err != nil {
		return c, failed(err)
	}
	// Not start: a timer that elapsed once may count as started. From here on who
	// calls this may die.
	err = n.Run(ctx, "systemctl", "restart", Timer)
	if err == nil {
		err = n.write(c.Files, false)
	}
	if err == nil {
		err = n.takeUp(ctx, c, false)
	}
	if err != nil {
		back := n.revert(context.WithoutCancel(ctx), c)
		return c, errors.Join(failed(err), back)
	}
	return c, nil
}

func failed(err error) error {
	return Failed.New("cannot put the new network into force: %w", err).Hint("the old settings are back, unless a line below says otherwise")
}

// current is the file that says what the network is from now on.
func (n Node) current(to spec.NodeNetwork) (profiles.FileChange, error) {
	c := profiles.FileChange{Path: Current, Mode: 0o600}
	old, err := os.ReadFile(n.path(Current))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	c.Old = old
	c.New, err = json.Marshal(to)
	return c, err
}

// Keep makes the change that waits the node's network for good.
func (n Node) Keep(ctx context.Context) (Change, error) {
	unlock, err := n.lock()
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	c, waits, err := n.Pending()
	if err == nil && !waits {
		err = Gone.New("cannot keep the new network: have none that waits, need one: the old settings are back").
			Hint("confirm within %d seconds", int(Patience/time.Second))
	}
	if err != nil {
		return c, err
	}
	if err := n.end(c, Kept); err != nil {
		return c, err
	}
	// It finds nothing to do, should it run all the same.
	_ = n.Run(ctx, "systemctl", "stop", Timer)
	return c, nil
}

// Revert brings the old network back, if a change waits; false if none does. In
// the boot after the one that it was made in, only the files are brought back:
// nothing has read the others yet.
func (n Node) Revert(ctx context.Context) (Change, bool, error) {
	unlock, err := n.lock()
	if err != nil {
		return Change{}, false, err
	}
	defer unlock()
	c, waits, err := n.Pending()
	switch {
	case err != nil:
		return c, false, err
	case !waits && c.Result != "":
		return c, false, n.file(c)
	case !waits:
		return c, false, nil
	}
	return c, true, n.revert(ctx, c)
}

func (n Node) revert(ctx context.Context, c Change) error {
	err := n.write(c.Files, true)
	if err == nil && c.Boot == n.boot() {
		err = n.takeUp(ctx, c, true)
	}
	if err != nil { // it is tried again at the next start
		return Failed.New("cannot bring the old network back: %w", err).Hint("restart the machine: the old files are put back then")
	}
	return n.end(c, Reverted)
}

// end turns the way back into the evidence. What counts is that pending says how
// it ended: a power cut behind that leaves but the name to be changed.
func (n Node) end(c Change, how string) error {
	c.Ended, c.Result = n.Now().UTC(), how
	if err := n.put(c, pending); err != nil {
		return err
	}
	return n.file(c)
}

func (n Node) file(c Change) error {
	name := Dir + "/" + c.Begun.Format("20060102T150405.000Z") + "-" + c.Result + ".json"
	if err := os.Rename(n.path(pending), n.path(name)); err != nil {
		return err
	}
	return syncDir(n.path(Dir))
}
