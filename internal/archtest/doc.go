// Package archtest holds the rules of the source tree as tests: which folder may
// import which (a table, in layers_test.go), that the program on the node cannot
// download and the screens cannot touch a disk, that every error code has its
// page, and the house's forms (doc comments, short files, no init functions).
//
// It reads source with go/parser and asks the go command for what a program
// links. It has no code of its own and stands outside the flow.
package archtest
