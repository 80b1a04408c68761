package sim

import (
	"math/rand/v2"
	"time"
)

// faults are how bad a world is. The zero value is a good one.
type faults struct {
	drop, repeat, slow float64       // chances of a message
	late               time.Duration // how much a slow one is late, at most
	disk               float64       // chance that a batch of the store fails
	serverLives        time.Duration // mean time between crashes; zero for ever
	agentLives         time.Duration
	linkLives          time.Duration // mean time between partitions of an agent
	outage             time.Duration // how long any of them lasts, at most
	skew               time.Duration // how far clocks are apart, at most
	thought            time.Duration // how long a planner thinks, at most
	pull, prepare      float64       // chances that an action of an agent fails
}

// someFaults draws a kind of weather: each fault is there or not, so that runs
// differ in what goes wrong and not only in when.
func someFaults(r *rand.Rand) faults {
	often := func(p float64) float64 {
		if r.IntN(3) == 0 {
			return 0
		}
		return p * r.Float64()
	}
	every := func(least, most time.Duration) time.Duration {
		if r.IntN(3) == 0 {
			return 0
		}
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	return faults{
		drop: often(0.15), repeat: often(0.2), slow: often(0.3), late: time.Duration(r.Int64N(int64(8 * time.Second))), disk: often(0.05),
		serverLives: every(10*time.Second, 2*time.Minute), agentLives: every(20*time.Second, 3*time.Minute),
		linkLives: every(20*time.Second, 3*time.Minute), outage: time.Second + time.Duration(r.Int64N(int64(90*time.Second))),
		skew: every(0, 2*time.Minute), thought: every(0, time.Second), pull: often(0.1), prepare: often(0.05),
	}
}

// plague makes servers and agents crash and links break, again and again.
func (w *world) plague() {
	f := w.faults
	w.recur(f.serverLives, func() { w.disk.dieAfter(w.rng.IntN(4)) })
	for _, a := range w.agents {
		w.recur(f.agentLives, a.crash)
		w.recur(f.linkLives, func() { a.partition(w.between(0, f.outage)) })
	}
}

func (w *world) recur(mean time.Duration, do func()) {
	if mean == 0 {
		return
	}
	w.after(time.Duration(w.rng.ExpFloat64()*float64(mean)), func() {
		if w.faults == (faults{}) {
			return // the plague is over
		}
		do()
		w.recur(mean, do)
	})
}

// heal ends all faults: what is down comes up by itself within the time that its
// outage was meant to last.
func (w *world) heal() {
	w.say("the faults end")
	w.faults = faults{}
	w.user.busy = false
	w.disk.heal()
	for _, a := range w.agents {
		a.cut = false
	}
}
