package node

import "caisson.dev/caisson/internal/fault"

var (
	// AnswersNone: nobody said what this node is to be.
	AnswersNone = fault.Define("ANSWERS-NONE", fault.Input)
	// PassphraseNone: sealed secrets, and nobody brought what opens them.
	PassphraseNone = fault.Define("PASSPHRASE-NONE", fault.Input)
	// MediumGone: the medium was pulled out.
	MediumGone = fault.Define("MEDIUM-GONE", fault.Media)
	// StickMissing: there is no stick to save to.
	StickMissing = fault.Define("STICK-MISSING", fault.Machine)
	// KeysNone: a stick without a public key that can be used.
	KeysNone = fault.Define("KEYS-NONE", fault.Input)
	// ClockRefused: the clock could not be set.
	ClockRefused = fault.Define("CLOCK-REFUSED", fault.Machine)
	// ShellRefused: the Spec allows no root shell.
	ShellRefused = fault.Define("SHELL-REFUSED", fault.Input)
	// ShellFailed: a root shell could not be started.
	ShellFailed = fault.Define("SHELL-FAILED", fault.Machine)
	// PasswordRefused: the password is not the user's, or the user may not have the menu.
	PasswordRefused = fault.Define("PASSWORD-REFUSED", fault.Input)
	// PasswordUnchecked: the program that checks passwords gave no answer.
	PasswordUnchecked = fault.Define("PASSWORD-UNCHECKED", fault.Node)
	// HealthFailed: this version of the node OS does not work on this node.
	HealthFailed = fault.Define("HEALTH-FAILED", fault.Node)
	// WaitTimeout: a URL did not answer in time.
	WaitTimeout = fault.Define("WAIT-TIMEOUT", fault.Node)
	// NodeFiles: what the installer left on the node is missing or damaged.
	NodeFiles = fault.Define("NODE-FILES", fault.Node)
	// CISFailed: a line of the CIS table fails that the Spec does not except.
	CISFailed = fault.Define("CIS-FAILED", fault.Node)
	// BenchmarkUnknown: nobody here knows that benchmark's ids.
	BenchmarkUnknown = fault.Define("BENCHMARK-UNKNOWN", fault.Input)
)
