// Package sim runs a whole berth in one goroutine under a clock of its own: the
// real API handlers over a real store in memory, the real control loop with its
// planners, and agents that decide with the real task step but only pretend to run
// containers. Between them lies a network that loses, delays and repeats
// messages; servers and agents die at any moment and disks fail. All of it follows
// from one seed, so that a run that goes wrong can be run again.
//
// After each event the invariants are checked (laws.go): nothing
// acknowledged is lost, no task runs in two places, nothing is over-committed, no
// status moves back; services keep within their bounds and say what they do
// (rollouts.go), and no planner has work that nobody woke it for (steady.go). Once
// the faults end, everything that is wanted must come to be.
//
// Play performs stories that people wrote, without chance, and tells what happened.
//
// What is not the real thing: sessions. The simulator speaks the dispatcher's
// rules itself (session.go), because the dispatcher's own live on sockets.
package sim

import (
	"fmt"
	"strings"
	"time"
)

// Report is how a run went.
type Report struct {
	Seed      uint64
	Events    int            // that happened while there were faults
	Simulated time.Duration  // all of the run
	Tasks     int            // made
	Crashes   int            // of servers and agents
	Lost      int            // messages
	Started   map[string]int // containers, by family and name
	Err       error          // the first broken invariant; nil when all held
	Trace     []string       // what happened before it, newest last
}

func (r *Report) String() string {
	line := fmt.Sprintf("seed %-6d %6d events in %-9v %4d tasks %4d crashes %5d messages lost", r.Seed, r.Events, r.Simulated.Round(time.Second), r.Tasks, r.Crashes, r.Lost)
	if r.Err == nil {
		return line + "  ok"
	}
	return line + "\n" + strings.Join(r.Trace[max(0, len(r.Trace)-shown):], "\n") + "\nBROKEN: " + r.Err.Error()
}

// shown is how many lines of a trace are printed.
const shown = 60

// Steps of a run, unless somebody wants another number.
const Steps = 1500

const (
	// calm is how long everything may take to come right once the faults end: it
	// outlasts the quarter of an hour for which a task waits for a place.
	calm = 20 * time.Minute
	// aftermath lets what is stopped be cleaned up and every address become free:
	// those of hosts that will never confirm rest for an hour and a quarantine.
	aftermath = 90 * time.Minute
)

// Run simulates steps events under faults that follow from the seed, then a calm
// in which everything must come right.
func Run(seed uint64, steps int) *Report {
	w := newWorld(seed)
	w.faults = someFaults(w.rng)
	w.skew = w.faults.skew
	w.populate()
	w.user.busy = true
	w.plague()
	r := &Report{Seed: seed}
	for r.Events = 0; r.Events < steps && w.err == nil && w.step(); r.Events++ {
	}
	if w.err == nil {
		w.settle()
	}
	r.Simulated, r.Tasks, r.Crashes, r.Lost, r.Started = w.now.Sub(epoch), len(w.laws.seen), w.crashes, w.lost, w.started
	r.Err, r.Trace = w.err, w.trace
	return r
}

// settle ends the faults and checks that what is wanted comes to be: first what
// the user left wanted, then, when all is asked to stop, that nothing is left.
func (w *world) settle() {
	w.heal()
	w.run(calm)
	w.soon(w.laws.wanted)
	if w.err != nil {
		return
	}
	w.user.deleteServices()
	w.user.stopEverything()
	w.run(aftermath)
	if w.err == nil {
		w.expect(w.laws.nothingLeft())
	}
}

// soon is for a law that something on its way, a task that starts, say, keeps from
// holding at this very moment.
func (w *world) soon(law func() error) {
	for range 10 {
		if w.err != nil || law() == nil {
			return
		}
		w.run(5 * time.Second)
	}
	w.expect(law())
}
