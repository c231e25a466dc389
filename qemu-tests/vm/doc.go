// Package vm runs one QEMU machine: the proof of every medium that Caisson
// makes, and what `caisson boot ISO` shows a person.
//
// A Config is a plain value. Argv turns it into QEMU's arguments and touches
// nothing; Resolve finds program, firmware and accelerator on this computer;
// Start runs the process and gives a VM, which reads three streams (serial
// text, the guest's events, QMP) and never sleeps: it waits for an event, a
// line or the end of the process. The guest has no way out, ever: no network card,
// or one whose cable ends at nothing.
//
// It leaves out what the guest should do: package scenarios says that. It
// imports leaves, and iso/iso9660 for the answers medium, and stands outside the
// product's flow: nothing but `caisson boot`, `caisson answers` and tests use it.
package vm
