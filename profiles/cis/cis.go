// Package cis holds the tests that CIS tables of several profiles are made of:
// modes and owners of files, settings of the running kernel, and how a result is
// worded. Which tests a table has, and under which ids, is each profile's.
package cis

import "caisson.dev/caisson/profiles"

// The statuses of a result.
const (
	Pass          = "pass"
	Fail          = "fail"
	Manual        = "manual"
	NotApplicable = "not-applicable"
)

// Test reads a live node's files below root.
type Test func(root string) profiles.Result

// Verdict is pass or fail, with both values.
func Verdict(ok bool, have, want string) profiles.Result {
	status := Fail
	if ok {
		status = Pass
	}
	return profiles.Result{Status: status, Have: have, Want: want}
}

// Unreadable is a file that a check needs and cannot have: a failed check.
func Unreadable(err error, want string) profiles.Result {
	return profiles.Result{Status: Fail, Have: err.Error(), Want: want}
}
