package store

import (
	"slices"
	"sync"
)

// Watcher collects what changes. It needs no goroutine: Ready tells that Take has
// something.
type Watcher struct {
	hub    *hub
	topics []Topic
	ready  chan struct{}

	mu      sync.Mutex
	pending Delta
	at      map[ref]int // where in pending.Events a record's event is
	empty   int         // events that lead from nothing to nothing
}

// Ready receives whenever there is something to Take.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take returns what changed since the last Take: events in order of their
// record's first change, each record once. View is nil when nothing did.
func (w *Watcher) Take() Delta {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.pending
	w.pending, w.at, w.empty = Delta{}, nil, 0
	d.Events = meaningful(d.Events)
	return d
}

// Close ends the watch.
func (w *Watcher) Close() { w.hub.leave(w) }

func (w *Watcher) offer(v *View, c *Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending.View = v
	r := ref{c.Table.id(), c.Key}
	if i, ok := w.at[r]; ok {
		e := &w.pending.Events[i]
		if e.Old == nil && e.New == nil {
			w.empty--
		}
		e.New = c.New
		if e.Old == nil && e.New == nil {
			w.empty++
		}
		w.sweep()
	} else {
		if w.at == nil {
			w.at = map[ref]int{}
		}
		w.at[r] = len(w.pending.Events)
		w.pending.Events = append(w.pending.Events, Event{c.Table, c.Key, c.Old, c.New})
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// sweep drops the events that came to nothing once they are the most, so that
// records which come and go do not pile up before a slow watcher.
func (w *Watcher) sweep() {
	if w.empty < 64 || w.empty < len(w.pending.Events)/2 {
		return
	}
	w.pending.Events = meaningful(w.pending.Events)
	w.empty = 0
	clear(w.at)
	for i, e := range w.pending.Events {
		w.at[ref{e.Table.id(), e.Key}] = i
	}
}

func meaningful(events []Event) []Event {
	return slices.DeleteFunc(events, func(e Event) bool { return e.Old == nil && e.New == nil })
}

// hub knows who watches what.
type hub struct {
	mu      sync.Mutex
	all     map[*Watcher]bool
	byTopic map[Topic]map[*Watcher]bool
	indexed map[Topic]int // watchers of any key of an index; the key is empty here
}

func newHub() *hub {
	return &hub{all: map[*Watcher]bool{}, byTopic: map[Topic]map[*Watcher]bool{}, indexed: map[Topic]int{}}
}

func (h *hub) join(topics []Topic) *Watcher {
	w := &Watcher{hub: h, topics: topics, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(topics) == 0 {
		h.all[w] = true
	}
	for _, t := range topics {
		if h.byTopic[t] == nil {
			h.byTopic[t] = map[*Watcher]bool{}
		}
		if !h.byTopic[t][w] {
			h.byTopic[t][w] = true
			h.indexed[Topic{t.table, t.index, ""}]++
		}
	}
	return w
}

func (h *hub) leave(w *Watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, w)
	for _, t := range w.topics {
		if !h.byTopic[t][w] {
			continue
		}
		delete(h.byTopic[t], w)
		if len(h.byTopic[t]) == 0 {
			delete(h.byTopic, t)
		}
		h.indexed[Topic{t.table, t.index, ""}]--
	}
}

func (h *hub) publish(v *View, changes []*Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range changes {
		for w := range h.all {
			w.offer(v, c)
		}
		id := c.Table.id()
		told := h.tell(nil, Topic{id, wholeTable, ""}, v, c)
		for i := range c.Table.indexCount() {
			if h.indexed[Topic{id, i, ""}] > 0 {
				told = h.tellIndexed(told, i, v, c)
			}
		}
	}
}

func (h *hub) tellIndexed(told []*Watcher, index int, v *View, c *Change) []*Watcher {
	var entries []entry
	for _, record := range []any{c.Old, c.New} {
		if record != nil {
			entries = c.Table.entries(index, record, entries)
		}
	}
	for _, e := range entries {
		told = h.tell(told, Topic{c.Table.id(), index, e.index}, v, c)
	}
	return told
}

// tell offers the change to the topic's watchers that were not told before.
func (h *hub) tell(told []*Watcher, t Topic, v *View, c *Change) []*Watcher {
next:
	for w := range h.byTopic[t] {
		for _, have := range told {
			if have == w {
				continue next
			}
		}
		w.offer(v, c)
		told = append(told, w)
	}
	return told
}
