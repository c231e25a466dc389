// Package check is what CIS tables are made of: tests of a live node's files,
// their modes and owners, of its static pods' command lines and of the running
// kernel; what is asked of every cluster's namespaces; the ids of each benchmark,
// and the lines that a person has to judge. What else a table asks for is its
// profile's business.
//
// It only reads. What a check needs and cannot have is a failed check, never an
// error.
package check

import (
	"context"

	"caisson.dev/caisson/profiles"
)

// The statuses of a result.
const (
	Pass          = "pass"
	Fail          = "fail"
	Manual        = "manual"
	NotApplicable = "not-applicable"
)

// Test reads a live node's files below root.
type Test func(root string) profiles.Result

// Of is a line of a table, by its name (benchmark.go).
func Of(name, title string, test Test) profiles.Check {
	return profiles.Check{Name: name, ID: name, Title: title, Run: func(ctx context.Context, root string) profiles.Result {
		if err := ctx.Err(); err != nil {
			return profiles.Result{Status: Fail, Have: err.Error(), Want: "a finished check"}
		}
		return test(root)
	}}
}

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
