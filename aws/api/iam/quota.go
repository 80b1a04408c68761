package iam

import "iter"

// Quotas of an account.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxUsers        = 5000
	maxGroups       = 300
	maxRoles        = 1000
	maxPolicies     = 1500
	maxProfiles     = 1000
	maxAttached     = 10 // managed policies of one user, group or role
	maxMemberships  = 10 // groups of one user
	maxKeys         = 2  // access keys of one user
	maxVersions     = 5  // of one managed policy
	maxProfileRoles = 1
)

func count[T any](items iter.Seq[T]) (n int) {
	for range items {
		n++
	}
	return n
}
