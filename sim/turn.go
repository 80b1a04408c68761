package sim

import (
	"log/slog"
	"time"

	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// stir makes the planners and the sessions look soon, when there is something new.
func (s *server) stir() {
	if !s.pumpWaits {
		s.pumpWaits = true
		s.later(s.w.between(0, time.Millisecond), func() {
			s.pumpWaits = false
			for _, x := range append([]*session(nil), s.sessions...) {
				x.pump()
			}
		})
	}
	if s.leader.View().Revision() != s.stepped {
		s.plan(s.w.between(0, 5*time.Millisecond))
	}
}

// plan makes the planners look in a while, if they would not before.
func (s *server) plan(in time.Duration) {
	at := s.w.now.Add(in)
	if !s.stepAt.IsZero() && !at.Before(s.stepAt) {
		return
	}
	s.stepAt = at
	s.later(in, func() {
		if s.stepAt != at {
			return
		}
		if s.thinking {
			s.stepAt = time.Time{}
			s.plan(time.Millisecond)
			return
		}
		s.turn()
	})
}

// turn lets the control loop turn once.
func (s *server) turn() {
	before := s.leader.View().Revision()
	s.looked = s.now()
	s.stepAt, s.stepped = time.Time{}, before
	again := s.loop.Turn(s.background, s.now)
	if s.w.disk.dead {
		return
	}
	if s.leader.View().Revision() == before {
		s.w.expect(s.w.laws.idle(again))
	}
	s.stir()
	s.plan(max(again.Sub(s.now()), time.Millisecond))
}

// troubles takes down what the control loop has to say: that a planner failed.
func (s *server) troubles() *slog.Logger {
	return slog.New(slog.NewTextHandler(trouble{s}, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// delays notes that a planner may put off for so long what it has to do.
func (s *server) delays(off time.Duration) {
	if until := s.now().Add(off); until.After(s.restless) {
		s.restless = until
	}
}

type trouble struct{ s *server }

func (t trouble) Write(line []byte) (int, error) {
	t.s.delays(2 * time.Second)
	t.s.w.say("control: %s", line)
	return len(line), nil
}

// interrupted makes planners slow: between a look and what it leads to, requests
// may come in, so that decisions become stale as they do where there are threads.
func (s *server) interrupted(planners []plan.Planner) []plan.Planner {
	for i := range planners {
		if look := planners[i].Look; look != nil {
			planners[i].Look = func(v *store.View, now time.Time) plan.Decision { return s.pondered(look(v, now)) }
		}
		if look := planners[i].LookAt; look != nil {
			planners[i].LookAt = func(v *store.View, now time.Time, part string) plan.Decision { return s.pondered(look(v, now, part)) }
		}
	}
	return planners
}

func (s *server) pondered(d plan.Decision) plan.Decision {
	if len(d.Changes) > 0 {
		s.thinking = true
		s.w.meanwhile(s.w.between(0, max(3*time.Millisecond, s.w.faults.thought)))
		s.thinking = false
		s.delays(2 * s.now().Sub(s.looked)) // it rests
	}
	return d
}
