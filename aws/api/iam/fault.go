package iam

import "github.com/berthhq/berth/domain/fault"

func missing(format string, args ...any) *fault.Fault {
	return fault.New(fault.NoSuchEntity, format, args...)
}

func exists(format string, args ...any) *fault.Fault {
	return fault.New(fault.EntityAlreadyExists, format, args...)
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidInput, format, args...)
}

func inUse(format string, args ...any) *fault.Fault {
	return fault.New(fault.DeleteConflict, format, args...)
}

// overQuota names a quota as IAM does: "PoliciesPerRole".
func overQuota(quota string, most int) *fault.Fault {
	return fault.New(fault.QuotaExceeded, "Cannot exceed quota for %s: %d", quota, most)
}

func userMissing(name string) *fault.Fault {
	return missing("The user with name %s cannot be found.", name)
}

func groupMissing(name string) *fault.Fault {
	return missing("The group with name %s cannot be found.", name)
}

func roleMissing(name string) *fault.Fault {
	return missing("The role with name %s cannot be found.", name)
}

func policyMissing(arn string) *fault.Fault { return missing("Policy %s was not found.", arn) }
