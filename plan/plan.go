// Package plan is what planners have in common: they look at a view and the time
// and say what should change. They change nothing themselves, keep nothing
// between two looks, and need no event: each look is a full difference between
// what is wanted and what is.
package plan

import (
	"errors"
	"time"

	"github.com/berthhq/berth/store"
)

// Planner is one kind of judgement.
type Planner struct {
	Name string
	// Wakes are the tables whose changes can give the planner work.
	Wakes []store.Descriptor
	// Look decides. It is pure.
	Look func(v *store.View, now time.Time) Decision
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
