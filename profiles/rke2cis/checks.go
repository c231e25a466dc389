package rke2cis

import "caisson.dev/caisson/profiles"

// Checks is the CIS table for the role.
func (p Profile) Checks(role string) []profiles.Check { return nil }
