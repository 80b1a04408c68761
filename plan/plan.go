// Package plan is what planners have in common: they look at a view and the time
// and say what should change. They change nothing themselves, keep nothing
// between two looks, and need no event: each look is a full difference between
// what is wanted and what is.
package plan

import (
	"errors"
	"iter"
	"time"

	"github.com/berthhq/berth/store"
)

// Planner is one kind of judgement.
type Planner struct {
	Name string
	// Wakes are the tables whose changes can give the planner work.
	Wakes []store.Descriptor
	// Makes tells that it makes tasks: it rests while berth stops them all.
	Makes bool
	// Look decides. It is pure. nil in a planner that has Parts.
	Look func(v *store.View, now time.Time) Decision
	// LookAt decides about one part of the work, in a planner that has Parts.
	LookAt func(v *store.View, now time.Time, part string) Decision
	Parts  Parts
}

// Parts divide a planner's work into pieces that do not depend on each other, so
// that an event costs a look at what it is about and not at everything.
type Parts struct {
	All func(v *store.View) iter.Seq[string]
	// Of names the parts that an event gives work.
	Of func(v *store.View, e store.Event) []string
}

// Decision is what a planner wants.
type Decision struct {
	Changes []Change
	// Again is when to look again if nothing happens before; zero for never.
	Again time.Time
	// Troubles are what the planner cannot mend.
	Troubles []Trouble
}

// Change is one thing to do. Apply makes it in a transaction over a state that
// may be newer than the view the planner saw: it checks again what it relies on,
// and returns ErrStale when that is no longer so.
type Change struct {
	Subject string // key of the record it is about
	Says    string // what is done, for people
	Apply   func(tx *store.Tx) error
}

// Trouble is something somebody should know about.
type Trouble struct {
	Subject string
	Reason  string // in full sentences
}

// ErrStale is a change whose reason has gone. The next look decides anew.
var ErrStale = errors.New("the state has moved on")

// Earliest is the sooner of two times, of which a zero one means never.
func Earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
