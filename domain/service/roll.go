package service

// Tally counts the tasks on one side of a roll: those of the deployment that is
// wanted, or all others.
type Tally struct {
	Healthy   int // run, and count toward the minimum
	Unproven  int // run, but have not shown yet that they are healthy
	Unhealthy int // run, and failed their health check
	Pending   int // on their way to run
}

// Live is how many run or are on their way.
func (t Tally) Live() int { return t.Healthy + t.Unproven + t.Unhealthy + t.Pending }

// Running is how many run.
func (t Tally) Running() int { return t.Healthy + t.Unproven + t.Unhealthy }

func (t Tally) useful() int { return t.Healthy + t.Unproven + t.Pending }

// Bounds of a roll, in tasks.
type Bounds struct {
	Want  int
	Lower int // healthy ones that must be left
	Upper int // live ones that may be
}

// BoundsOf applies the percentages: the minimum rounded up, the maximum down.
func BoundsOf(want, minimumPercent, maximumPercent int) Bounds {
	return Bounds{Want: want, Lower: (want*minimumPercent + 99) / 100, Upper: want * maximumPercent / 100}
}

// Moves are what to do next. Of each side those that are worth the least are to be
// stopped first: unhealthy, pending, unproven, healthy.
type Moves struct {
	Start     int
	StopFresh int
	StopOld   int
}

// Roll decides the next moves from the old tasks to the fresh ones. blocked tells
// that nothing can be started for want of capacity: then old tasks make room, as
// far as the minimum allows.
//
// No move makes the healthy tasks fewer than Lower, and with what is started there
// are never more than Upper.
func Roll(b Bounds, fresh, old Tally, blocked bool) Moves {
	var m Moves
	missing := max(0, b.Want-fresh.useful())
	m.Start = max(0, min(missing, b.Upper-fresh.Live()-old.Live()))
	lacking := missing - m.Start
	if blocked {
		lacking = missing
	}
	// Replacements come first; an unhealthy task goes when they run, or when it
	// stands in their way. It does not count as healthy, so nothing is undercut.
	if fresh.Healthy+fresh.Unproven >= b.Want {
		m.StopFresh = fresh.Unhealthy
	} else {
		m.StopFresh = min(fresh.Unhealthy, lacking)
		lacking -= m.StopFresh
	}
	spare := max(0, fresh.Healthy+old.Healthy-b.Lower)
	m.StopOld = stopOld(b, fresh, old, lacking, &spare)
	if extra := fresh.useful() - b.Want; extra > 0 {
		m.StopFresh += min(extra, fresh.Pending+fresh.Unproven+spare)
	}
	return m
}

// stopOld is how many old tasks to stop: those that do not serve, those that fresh
// ones have replaced, and those that must make room.
func stopOld(b Bounds, fresh, old Tally, lacking int, spare *int) int {
	useless := old.Unhealthy + old.Pending
	replaced := max(0, fresh.Healthy+old.Healthy+old.Unproven-b.Want)
	want := min(old.Healthy+old.Unproven, max(replaced, lacking-useless))
	unproven := min(want, old.Unproven)
	healthy := min(want-unproven, *spare)
	*spare -= healthy
	return useless + unproven + healthy
}
