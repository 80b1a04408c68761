package task

import (
	"slices"
	"time"
)

// Link is a target group, a Classic balancer or a Cloud Map service that a task is
// registered with; one of the first three is set.
type Link struct {
	GroupARN    string // of a target group
	Classic     string // name of a Classic balancer
	RegistryARN string // of a Cloud Map service
	Container   string // empty where a registry takes the task's address alone
	Port        int    // of the container; 0 as Container
	Said        int    // the port to say to the registry where no container says it
	Door        int    // of the task's address, where others call Port; 0 for Port itself
}

// Registration is how far a task has come with its Links. Targets and instances are
// records of their own.
type Registration struct {
	At         time.Time // when all were made; zero before
	DrainingAt time.Time // since when it gets no new requests; zero before
	Done       bool      // no request is left
}

// linking tells whether a task that runs is yet to be registered.
func (t *Task) linking() bool {
	return len(t.Spec.Links) > 0 && t.Registered.At.IsZero()
}

// Served tells whether a task that is wanted stopped runs on for the requests that it
// still has.
func (t *Task) Served() bool {
	there := t.Observed.Status == Running && t.Assignment != nil && !t.Assignment.Released
	return there && t.Desired.Status == Stopped && !t.Registered.At.IsZero() && !t.Registered.Done
}

// Ordered is what the agent is to do: a task that is wanted stopped goes on running
// until it has no requests any more.
func (t *Task) Ordered() Status {
	if t.Served() {
		return Running
	}
	return t.DesiredStatus()
}

// Stage is what is to be done about the links of a task.
type Stage string

// Stages of a registration.
const (
	Unlinked Stage = ""        // nothing
	Joining  Stage = "joining" // register it
	Joined   Stage = "joined"  // tell how it is
	Parting  Stage = "parting" // drain it, or take note that it has been
)

// Stage tells what is to be done about the links of the task.
func (t *Task) Stage() Stage {
	switch over := t.DesiredStatus() == Stopped; {
	case len(t.Spec.Links) == 0 || t.Registered.Done:
		return Unlinked
	case t.Registered.At.IsZero() && (over || t.Observed.Status != Running):
		return Unlinked
	case t.Registered.At.IsZero():
		return Joining
	case over:
		return Parting
	case !t.watched():
		return Unlinked
	}
	return Joined
}

// watched tells whether Cloud Map is to hear of the task's health.
func (t *Task) watched() bool {
	return slices.ContainsFunc(t.Spec.Links, func(l Link) bool { return l.RegistryARN != "" }) &&
		slices.ContainsFunc(t.Observed.Containers, func(c Container) bool { return c.Health != "" })
}
