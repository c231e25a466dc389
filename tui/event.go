package tui

import (
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// Medium is what the medium says of itself before it is checked: enough for the
// first screen. Nothing in it is trusted until MediumOK.
type Medium struct {
	Enclave        string
	Classification spec.Classification
	Release        string
	Manifest       digest.Digest // of manifest.json, to compare with paper
	Keys           []string      // fingerprints of the keys that are trusted; none in this version
	Built          time.Time     // the release's epoch
}

// Facts are what is known once every byte of the medium was checked.
type Facts struct {
	Enclave  spec.Enclave
	Release  string
	Manifest digest.Digest
	Built    time.Time
	Machine  machine.Machine
	Needs    map[string]profiles.Needs // by role
	Places   map[string]Place          // likewise, of a node that the roster does not name
	Node     string                    // the roster entry that matches this machine; "" if none does
	Refused  map[string]string         // by a disk's stable path: why it cannot be taken

	Answers     spec.Answers // found ahead of any person, perhaps partial and never with consent
	AnswersFrom string       // where; "" if there are none
	AnswersErr  error        // why what is there cannot be used; Answers is empty then

	Secrets     *bundle.SealedSecrets // what the medium says of its sealed secrets; nil if it brings none
	SecretRoles []string              // the roles that get them
}

// Place is where in the cluster a new node of a role comes.
type Place struct {
	Joins *spec.Node // the roster's node that it joins; nil if it starts a cluster, or joins by hand
	Err   error      // why the medium can set none up
}

// Result is what a finished install leaves behind.
type Result struct {
	Record  digest.Digest
	Address string // of the node; "" if DHCP gives it
}

// Event is what can happen to a Wizard.
type Event interface{ event() }

// The events.
type (
	// Tick is the clock: the session sends one now and then.
	Tick struct{ Now time.Time }
	// Resized is the size of the console that leads.
	Resized struct {
		Width, Height int
		Large         bool
	}
	// Fill puts text into a field of the page, as if it had been typed.
	Fill struct {
		Field Field
		Value string
	}
	// Press chooses an action of the page, or an option that Fill put in.
	Press struct{ Field Field }

	MediumProgress struct{ Done, Total int64 }
	MediumOK       struct{ Facts Facts }
	MediumFailed   struct{ Err error }
	Rescanned      struct {
		Machine machine.Machine
		Refused map[string]string
		Err     error
	}
	// Links is the state of every network card's cable, by the kernel's name. It
	// comes when the watch begins and when something changed.
	Links struct{ Up map[string]bool }
	// AddressAsked answers the AskAddress effect of the same network.
	AddressAsked struct {
		Network  spec.NodeNetwork
		On       string // the cards that were asked on
		Untested string // why nobody could be asked; "" if the network was
		Silent   bool   // the gateway was asked for, too, and nobody answered
		Err      error  // who has the address; nil if nobody answered
	}
	// Watched answers Watch; Err nil means that the medium is there.
	Watched struct{ Err error }
	// Planned answers the Plan effect of the same number.
	Planned struct {
		Number int
		Plan   plan.Plan
		Err    error
	}
	// SecretsOpened answers the OpenSecrets effect of the same number.
	SecretsOpened struct {
		Number int
		Err    error
	}
	// Hashed answers the HashPassword effect of the same number.
	Hashed struct {
		Number int
		Hash   string // crypt(5)
		Err    error
	}
	InstallEvent struct{ Event event.Event }
	// Installed ends an install; Err nil means that the node is on the disk.
	Installed struct {
		Result Result
		Err    error
	}
	Saved struct {
		Where string
		Err   error
	}
	// KeysRead answers ReadKeys: lines of public key files, each one good.
	KeysRead struct {
		Keys  []string
		Where string
		Err   error
	}
	Bundled struct {
		Where string
		Err   error
	}
	ClockSet struct{ Err error }
	// Left says that leaving failed, or that the shell ended.
	Left struct{ Err error }
)

func (Key) event()            {}
func (Tick) event()           {}
func (Resized) event()        {}
func (Fill) event()           {}
func (Press) event()          {}
func (MediumProgress) event() {}
func (MediumOK) event()       {}
func (MediumFailed) event()   {}
func (Rescanned) event()      {}
func (Links) event()          {}
func (AddressAsked) event()   {}
func (Watched) event()        {}
func (Planned) event()        {}
func (SecretsOpened) event()  {}
func (Hashed) event()         {}
func (InstallEvent) event()   {}
func (Installed) event()      {}
func (Saved) event()          {}
func (KeysRead) event()       {}
func (Bundled) event()        {}
func (ClockSet) event()       {}
func (Left) event()           {}

// Effect is what a Wizard asks its session to do.
type Effect interface{ effect() }

// The effects.
type (
	Verify struct{}
	Rescan struct{}
	// WatchLinks asks for Links from now on. It is given once.
	WatchLinks struct{}
	// AskAddress asks the network whether somebody has a node's address.
	AskAddress struct{ Network spec.NodeNetwork }
	// Watch asks whether the medium can still be read.
	Watch struct{}
	// Plan asks for a plan; Number ties the answer to the question.
	Plan struct {
		Number  int
		Answers spec.Answers
	}
	// OpenSecrets asks to open the medium's sealed secrets.
	OpenSecrets struct {
		Number     int
		Passphrase Passphrase
	}
	// HashPassword asks for the crypt(5) hash of an administrator's password.
	HashPassword struct {
		Number   int
		Password Passphrase
	}
	// Install asks to carry out a plan. It is given only after a person typed
	// what the screen asked for; Erase is the consent, for plan.Confirm.
	Install struct {
		Plan  plan.Plan
		Erase string
	}
	SaveAnswers   struct{ Answers spec.Answers }
	ReadKeys      struct{} // from a stick
	SupportBundle struct{}
	SetClock      struct{ Now time.Time }
	// Leave ends the session: "reboot", "poweroff" or "stay".
	Leave struct{ How string }
	Shell struct{}
)

func (Verify) effect()        {}
func (Rescan) effect()        {}
func (WatchLinks) effect()    {}
func (AskAddress) effect()    {}
func (Watch) effect()         {}
func (Plan) effect()          {}
func (OpenSecrets) effect()   {}
func (HashPassword) effect()  {}
func (Install) effect()       {}
func (SaveAnswers) effect()   {}
func (ReadKeys) effect()      {}
func (SupportBundle) effect() {}
func (SetClock) effect()      {}
func (Leave) effect()         {}
func (Shell) effect()         {}
