package sim

import (
	"errors"
	"time"
)

var (
	errTimeout = errors.New("no answer")
	errRefused = errors.New("connection refused")
)

const (
	latencyMin, latencyMax = 200 * time.Microsecond, 2 * time.Millisecond
	// requestPatience is how long callers wait for an answer.
	requestPatience = 10 * time.Second
	// silence is when either end of a session takes the other for gone.
	silence = 75 * time.Second
)

// caller is whoever makes requests.
type caller struct {
	key  string      // access key id
	cut  func() bool // off the network
	dead func() bool // no longer there to hear the answer
}

// request calls an operation of the server; done hears the answer once, errTimeout
// when none comes. It may arrive twice, or the answer may not.
func (w *world) request(c caller, operation string, in any, done func(out any, err error)) {
	answered := false
	answer := func(out any, err error) {
		if !answered && !c.dead() {
			answered = true
			done(out, err)
		}
	}
	w.after(requestPatience, func() { answer(nil, errTimeout) })
	copies := 1
	if w.chance(w.faults.repeat) {
		copies = 2
	}
	for range copies {
		w.message(c.cut, func() {
			if !w.server.up {
				w.after(latencyMin, func() { answer(nil, errRefused) })
				return
			}
			out, err := w.server.call(c.key, operation, in)
			if w.disk.dead {
				return // it died with the answer on its lips
			}
			w.message(c.cut, func() { answer(out, err) })
		})
	}
}

// message makes deliver happen at the other end, some time, or never.
func (w *world) message(cut func() bool, deliver func()) {
	if cut() || w.chance(w.faults.drop) {
		w.lost++
		return
	}
	w.after(w.latency(), func() {
		if cut() {
			w.lost++
			return
		}
		deliver()
	})
}

func (w *world) latency() time.Duration {
	if w.chance(w.faults.slow) {
		return w.between(0, w.faults.late)
	}
	return w.between(latencyMin, latencyMax)
}

// stream is a connection of an agent's session: messages arrive in order, each
// once, until one is lost; then it is broken and both ends notice some time.
type stream struct {
	w              *world
	cut            func() bool
	broken         bool
	down, up       time.Time // when the last message of each direction arrives
	agentLost      func()
	serverLost     func()
	downOpen, upOK func() bool // whether there is still somebody at that end
}

// toAgent and toServer send.
func (s *stream) toAgent(deliver func())  { s.send(&s.down, s.downOpen, deliver) }
func (s *stream) toServer(deliver func()) { s.send(&s.up, s.upOK, deliver) }

func (s *stream) send(last *time.Time, open func() bool, deliver func()) {
	if s.broken {
		return
	}
	if s.cut() || s.w.chance(s.w.faults.drop/4) {
		s.w.lost++
		s.breakUp(silence)
		return
	}
	at := s.w.now.Add(s.w.latency())
	if at.Before(*last) {
		at = *last
	}
	*last = at
	s.w.after(at.Sub(s.w.now), func() {
		switch {
		case s.broken:
		case s.cut():
			s.w.lost++
			s.breakUp(silence)
		case !open():
			s.breakUp(latencyMax)
		default:
			deliver()
		}
	})
}

// breakUp ends the stream; each end notices within a time.
func (s *stream) breakUp(within time.Duration) {
	if s.broken {
		return
	}
	s.broken = true
	s.w.after(s.w.between(0, within), s.agentLost)
	s.w.after(s.w.between(0, within), s.serverLost)
}
