// Package version is the version stamped into both programs at link time
// (-ldflags "-X caisson.dev/caisson/internal/version.Version=v0.1.0"). It is
// a leaf.
package version

// Version is the release, or "devel" in a program built without the stamp.
var Version = "devel"
