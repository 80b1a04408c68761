package store

import "context"

// Store is what the rest of berth reads and writes.
type Store interface {
	// View is the newest durable state. It never blocks.
	View() *View
	// Update runs fn, alone, over the newest state, and returns a view that has
	// its changes once they are durable. An error of fn is returned as it is and
	// nothing changes; any other error is a fault: Unavailable when nothing was
	// changed, Server when that is not known (also when ctx ends while the
	// change is on its way).
	Update(ctx context.Context, fn func(*Tx) error) (*View, error)
	// Watch returns a view and a watcher of what changes after it; no topics
	// means everything. Close the watcher when done.
	Watch(topics ...Topic) (*View, *Watcher)
}
