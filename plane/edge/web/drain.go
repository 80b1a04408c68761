package web

import (
	"context"
	"time"
)

// fade forgets the front once its last request has been answered: its socket is closed.
func (f *front) fade() {
	f.settle(context.Background())
	f.retire()
	f.empty(context.Background())
	f.engine.mu.Lock()
	defer f.engine.mu.Unlock()
	delete(f.engine.fronts, f)
}

// drain waits for requests and for connections in another protocol, until ctx ends.
func (f *front) drain(ctx context.Context) {
	f.settle(ctx)
	f.retire()
	if !f.empty(ctx) {
		for _, s := range f.all() {
			s.Close()
		}
	}
	f.upgraded.wait(ctx)
}

// settling is how long clients that keep a connection have to send one more request on
// it, which is answered as the last.
const settling = 10 * time.Second

// settle takes no new connections and lets each one end with its next answer, for a
// while: what ends a connection at once may drop a request that has just come. Of the
// time that ctx leaves it takes at most a quarter.
func (f *front) settle(ctx context.Context) {
	f.closing.Store(true)
	f.socket.Close()
	for _, c := range f.all() {
		if second, ok := c.(*connection2); ok { // what it has asked by then is served
			second.retire()
		}
	}
	patience := settling
	if until, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(until)/4)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f.empty(ctx)
}

// empty waits until there is no connection; false when ctx ends before.
func (f *front) empty(ctx context.Context) bool {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for f.open.Load() > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// retire ends each connection with the requests at hand.
func (f *front) retire() {
	f.mu.Lock()
	f.retired = true
	f.mu.Unlock()
	for _, s := range f.all() {
		s.retire()
	}
}

func (f *front) all() (carried []carried) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		carried = append(carried, s)
	}
	return carried
}
