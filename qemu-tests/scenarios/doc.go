// Package scenarios boots the real ISO in QEMU and looks from outside: events,
// serial text, what lies on the disk. Each test is named after a situation in
// the field. Build tag e2e; they need an ISO and take minutes to an hour:
//
//	go test -tags e2e ./qemu-tests/scenarios -v -timeout 80m \
//		-run 'TestBlankDiskToReadyNode$' -args -iso demo.iso -out results
//
// Flags: -iso the medium under test; -out where each machine's screen, serial
// log, events, arguments and the phase table go; -disk an installed disk of an
// earlier run of the same ISO (out/installed.img), which spares the tests that
// only need one the install; -patience multiplies every limit of time.
//
// The guest knows nothing of the tests: it is the product, unchanged, on a
// machine with no network card, or with one whose cable ends at nothing. What is written here without the build tag (the
// phase table) is pure and has unit tests.
package scenarios
