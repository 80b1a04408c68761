package web

import (
	"slices"
	"sync"
)

// held are the requests that wait for a target, by target group.
type held struct {
	mu    sync.Mutex
	count map[string]int
	news  chan struct{} // closed when something changed
}

func newHeld() *held { return &held{count: map[string]int{}, news: make(chan struct{})} }

func (h *held) add(group string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count[group]++
}

func (h *held) remove(group string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count[group]--; h.count[group] == 0 {
		delete(h.count, group)
	}
}

// wait gives what is closed at the next change.
func (h *held) wait() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.news
}

func (h *held) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.news)
	h.news = make(chan struct{})
}

func (h *held) groups() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for g := range h.count {
		all = append(all, g)
	}
	slices.Sort(all)
	return all
}
