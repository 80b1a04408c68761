package cluster

import "github.com/berthhq/berth/domain/identity"

// SpokenForBy tells whether a principal may report for the instance. Keys that a
// machine got by joining speak for the instance they registered and no other, and
// for that instance no others do. Other keys, an official agent's, must be of the
// role that registered it. The keys of a task, and those that a machine shows to its
// programs, speak for none.
func (i *Instance) SpokenForBy(who identity.Principal) bool {
	switch {
	case who.TaskARN != "" || who.Account != i.Scope.Account:
		return false
	case who.Agent:
		return who.InstanceARN == i.ARN
	case i.Joined || who.InstanceARN != "":
		return false
	}
	return who.RoleARN == i.Role
}
