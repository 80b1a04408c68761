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

// offer adds a whole batch, or the part of it the watcher asked for, so that what
// is taken always leads up to its view.
func (w *Watcher) offer(v *View, changes []*Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending.View = v
	for _, c := range changes {
		w.merge(c)
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *Watcher) merge(c *Change) {
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
	for w := range h.all {
		w.offer(v, changes)
	}
	if len(h.byTopic) == 0 {
		return
	}
	parts := map[*Watcher][]*Change{}
	for _, c := range changes {
		h.sort(parts, c)
	}
	for w, part := range parts {
		w.offer(v, part)
	}
}

// sort adds a change to the part of everyone who asked for it.
func (h *hub) sort(parts map[*Watcher][]*Change, c *Change) {
	id := c.Table.id()
	h.give(parts, Topic{id, wholeTable, ""}, c)
	for i := range c.Table.indexCount() {
		if h.indexed[Topic{id, i, ""}] == 0 {
			continue
		}
		var entries []entry
		for _, record := range []any{c.Old, c.New} {
			if record != nil {
				entries = c.Table.entries(i, record, entries)
			}
		}
		for _, e := range entries {
			h.give(parts, Topic{id, i, e.index}, c)
		}
	}
}

// give adds a change to the parts of a topic's watchers, once each.
func (h *hub) give(parts map[*Watcher][]*Change, t Topic, c *Change) {
	for w := range h.byTopic[t] {
		if part := parts[w]; len(part) == 0 || part[len(part)-1] != c {
			parts[w] = append(part, c)
		}
	}
}
