// Package tui is what the person in front of the machine sees: the installer's
// screens. It takes what the medium and the machine are (Medium, Facts), asks
// what is left open, and gives spec.Answers; it shows the Plan, takes consent
// to it, and shows events while somebody else carries it out.
//
// Three parts, from the inside out. Wizard is a value with Update and View,
// pure: no clock, no file, no terminal. Session holds one Wizard, carries its
// effects out through a Host, and serves any number of consoles. A console is a
// terminal (Session.Console, by bubbletea) or prompts for a dumb terminal or a
// screen reader (Session.Plain).
//
// What a program has to do to use it:
//
//	medium := tui.Medium{Enclave: "demo", Manifest: digest, Built: built, ...} // what the medium says of itself
//	s := tui.NewSession(tui.New(medium), host, time.Now)
//	go s.Console(ctx, tui.Terminal{Name: "tty1", In: tty1, Out: tty1, TERM: "linux", Colour: tui.Colour16})
//	go s.Console(ctx, tui.Terminal{Name: "ttyS0", In: ttyS0, Out: ttyS0, TERM: "vt220", ASCII: true})
//	err := s.Run(ctx) // until the person leaves; host.Leave was called then
//
// On the installed node the same frame holds the status console: Status, a value
// like Wizard, and ShowStatus, which serves it on one terminal for a StatusHost.
// It shows the node to everybody and does things only for an administrator who
// gave a password. A network that it puts into force comes back unless somebody
// keeps it within a minute; which address may change at all is the host's to say.
//
// The Host verifies, probes, plans, installs. Its Install must call
// plan.Confirm with the consent it is given and apply what comes out: the
// screens ask for consent and cannot give it. This package writes no disk,
// starts no program and links nothing that does.
package tui
