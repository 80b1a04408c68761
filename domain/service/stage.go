package service

import (
	"math"
	"slices"
	"time"
)

// Shifts tells whether the strategy brings the new revision up beside the old one,
// and then moves traffic.
func (s Strategy) Shifts() bool { return s == BlueGreen || s == Linear || s == Canary }

// Position is where a rollout with stages is: the stage, since when, and the
// percentages of traffic that the new revision, green, is to get. The old one, blue,
// gets the rest.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
type Position struct {
	Stage      Stage
	Since      time.Time
	Production float64
	Test       float64
}

// Sight is what is seen of a rollout that has stages.
type Sight struct {
	Now      time.Time
	Blue     bool // there is a revision to move from
	Several  bool // revisions beside blue and green have tasks
	Ready    bool // the revision that is to serve has all its tasks, healthy
	Answered bool // no hook of the stage is being waited for
	Bake     time.Duration
}

// StageLimit is how long a stage that does not wait for a hook may last.
const StageLimit = 24 * time.Hour

// Overdue tells whether the stage is given up, and until when to wait for it where
// it is one that can be.
func (p Position) Overdue(now time.Time) (due time.Time, over bool) {
	if p.Stage != ScaleUp && p.Stage != ReconcileService {
		return time.Time{}, false
	}
	due = p.Since.Add(StageLimit)
	return due, !now.Before(due)
}

// Forward is the next position on the way to the new revision: p itself while p's
// stage goes on. again is when it ends by itself, zero where something else ends it.
// CleanUp goes on until the rollout is over.
func (c *Configuration) Forward(p Position, s Sight) (next Position, again time.Time) {
	if due, waits := c.waits(p, s); waits {
		return p, due
	}
	p.Stage, p.Since = c.after(p, s), s.Now
	switch p.Stage {
	case TestTrafficShift:
		p.Test = whole
	case ProductionShift:
		p.Production = c.step(p.Production, s.Blue)
	}
	return p, time.Time{}
}

// whole is all of the traffic.
const whole = 100.0

// waits tells whether the stage goes on, and until when if that is known.
func (c *Configuration) waits(p Position, s Sight) (until time.Time, waits bool) {
	switch {
	case p.Stage == "":
		return time.Time{}, false
	case !s.Answered:
		return time.Time{}, true
	case p.Stage == CleanUp, p.Stage == ReconcileService && s.Several, p.Stage == ScaleUp && !s.Ready:
		return time.Time{}, true
	case p.Stage == ProductionShift && p.Production < whole:
		until = p.Since.Add(c.stepBake())
	case p.Stage == BakeTime && (s.Blue || !c.Strategy.Shifts()):
		until = p.Since.Add(s.Bake)
	}
	return until, s.Now.Before(until)
}

// after is the stage that follows.
func (c *Configuration) after(p Position, s Sight) Stage {
	order := c.stages()
	switch {
	case p.Stage == "" && s.Several && c.Strategy.Shifts():
		return ReconcileService
	case p.Stage == "":
		return PreScaleUp
	case p.Stage == ProductionShift && p.Production < whole:
		return PreProductionShift
	}
	return order[slices.Index(order, p.Stage)+1]
}

// stages are those of the strategy, in order. A rolling rollout has them only for
// its hooks.
func (c *Configuration) stages() []Stage {
	if !c.Strategy.Shifts() {
		return []Stage{PreScaleUp, ScaleUp, PostScaleUp, BakeTime, CleanUp}
	}
	return []Stage{
		ReconcileService, PreScaleUp, ScaleUp, PostScaleUp, TestTrafficShift, PostTestTrafficShift,
		PreProductionShift, ProductionShift, PostProductionShift, BakeTime, CleanUp,
	}
}

// step is green's production traffic after the next shift. Without a blue there is
// nobody to share it with.
func (c *Configuration) step(green float64, blue bool) float64 {
	next := whole
	switch {
	case !blue:
	case c.Strategy == Linear && c.Linear != nil:
		next = green + c.Linear.Percent
	case c.Strategy == Canary && c.Canary != nil && green == 0:
		next = c.Canary.Percent
	}
	return min(whole, math.Round(next*10)/10)
}

// stepBake is how long a share of the traffic is watched before more follows.
func (c *Configuration) stepBake() time.Duration {
	var s *Shift
	switch c.Strategy {
	case Linear:
		s = c.Linear
	case Canary:
		s = c.Canary
	}
	if s == nil {
		return 0
	}
	return time.Duration(s.BakeMinutes) * time.Minute
}

// Retreat is the first position of a rollback from p. Blue gets all traffic at once,
// unless its tasks are gone already: then they come first.
func Retreat(p Position, now time.Time) Position {
	if p.Stage == CleanUp {
		p.Stage, p.Since = ScaleUp, now
		return p
	}
	return giveBack(p, now)
}

// giveBack takes all traffic from green, in the stages that have hooks for it.
func giveBack(p Position, now time.Time) Position {
	next := Position{Stage: CleanUp, Since: now}
	switch {
	case p.Production > 0:
		next.Stage = ProductionShift
	case p.Test > 0:
		next.Stage = TestTrafficShift
	}
	return next
}

// Backward is the next position of a rollback, as Forward is of a rollout. Sight's
// Ready is about blue.
func Backward(p Position, s Sight) Position {
	switch {
	case p.Stage == CleanUp, !s.Answered, p.Stage == ScaleUp && !s.Ready:
		return p
	case p.Stage == ScaleUp:
		return giveBack(p, s.Now)
	case p.Stage == ProductionShift:
		return Position{Stage: TestTrafficShift, Since: s.Now}
	}
	return Position{Stage: CleanUp, Since: s.Now}
}
