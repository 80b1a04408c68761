package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

var (
	epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
)

// world is everything there is. One goroutine owns it.
type world struct {
	rng    *rand.Rand // nil in a world without chance
	idRng  *rand.Rand // apart, so that a planner that asks for an id more tells the same story
	now    time.Time
	events queue
	number int // of events so far: equal times happen in order of making

	faults     faults
	skew       time.Duration // how far clocks are apart at most, for good
	subnetBits int
	disk       *disk
	server     *server
	agents     []*agent
	user       *user
	laws       *laws

	ids     int            // given out
	started map[string]int // containers, by family and name
	guests  int            // hosts that joined later
	// deployments is how many have names.
	deployments int
	crashes     int
	lost        int
	err         error // the first broken invariant: nothing happens after it
	trace       []string
	names       map[string]string // ids and ARNs to what the trace calls them
}

func newWorld(seed uint64) *world {
	rng, idRng := rand.New(rand.NewPCG(seed, 0x62657274)), rand.New(rand.NewPCG(seed, 0x6964))
	return makeWorld(rng, idRng, 28+rng.IntN(2))
}

// plainWorld is one in which nothing is left to chance: what happens in it changes
// only with what berth decides.
func plainWorld() *world { return makeWorld(nil, nil, 24) }

func makeWorld(rng, idRng *rand.Rand, subnetBits int) *world {
	w := &world{rng: rng, idRng: idRng, subnetBits: subnetBits, now: epoch, names: map[string]string{}, started: map[string]int{}}
	w.laws = newLaws(w)
	w.disk = newDisk(w)
	w.server = &server{w: w}
	w.user = &user{w: w}
	w.server.start()
	return w
}

// event is something that will happen.
type event struct {
	at     time.Time
	number int
	do     func()
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].number < q[j].number
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// after makes do happen in a while.
func (w *world) after(d time.Duration, do func()) {
	w.number++
	heap.Push(&w.events, event{w.now.Add(max(d, 0)), w.number, do})
}

// step lets the next event happen and checks the invariants. It is false when
// there is none, or an invariant is broken.
func (w *world) step() bool {
	if w.err != nil || len(w.events) == 0 {
		return false
	}
	e := heap.Pop(&w.events).(event)
	w.now = e.at
	e.do()
	if w.disk.dead && w.server.up {
		w.server.crash()
	}
	w.expect(w.laws.check())
	return w.err == nil
}

// meanwhile lets a while pass, with all that happens in it, inside an event of a
// process that may die in it.
func (w *world) meanwhile(d time.Duration) {
	end := w.now.Add(d)
	for !w.disk.dead && w.due(end) && w.step() {
	}
	w.now = end
}

// run lets events happen for a while.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for w.due(end) && w.step() {
	}
	if w.err == nil {
		w.now = end
	}
}

// due tells whether anything happens until then.
func (w *world) due(end time.Time) bool { return len(w.events) > 0 && !w.events[0].at.After(end) }

func (w *world) expect(err error) {
	if w.err == nil && err != nil {
		w.err = err
	}
}

func (w *world) say(format string, args ...any) {
	line := fmt.Sprintf("%9.3fs  ", w.now.Sub(epoch).Seconds()) + w.rename(fmt.Sprintf(format, args...))
	w.trace = append(w.trace, line)
}

// rename puts names in the place of ids and ARNs.
func (w *world) rename(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		core := strings.Trim(word, ",.;:()[]")
		if name, ok := w.names[core]; ok && core != "" {
			words[i] = strings.Replace(word, core, name, 1)
		}
	}
	return strings.Join(words, " ")
}

// newID gives ids that follow from the seed.
func (w *world) newID() string {
	if w.ids++; w.idRng == nil {
		return fmt.Sprintf("%08x%024x", w.ids, w.ids)
	}
	return fmt.Sprintf("%016x%016x", w.idRng.Uint64(), w.ids)
}

// between is a random time in a range; its middle in a world without chance.
func (w *world) between(from, to time.Duration) time.Duration {
	if w.rng == nil {
		return (from + to) / 2
	}
	return from + time.Duration(w.rng.Int64N(int64(to-from)+1))
}

func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }
