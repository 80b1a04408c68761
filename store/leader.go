package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

const (
	// maxBatchChanges bounds a batch that more than one update shares: beyond,
	// the cost of an fsync is spread well enough and latency would suffer.
	maxBatchChanges = 128
	// maxBatchBytes does the same for large records.
	maxBatchBytes = 1 << 20
	// maxUpdateChanges and maxUpdateBytes bound a single update, which cannot
	// be divided.
	maxUpdateChanges = 4000
	maxUpdateBytes   = 8 << 20
	// maxInFlight batches hide the wait for the disk while the next one fills.
	maxInFlight = 2
	// recoverPatience is how long callers of a failed batch wait to learn
	// whether it was written before they are told that nobody knows.
	recoverPatience = 10 * time.Second
)

// Leader is the Store on the one server that may write. All its state is in
// memory; what it accepts goes through a Journal before anyone else sees it.
type Leader struct {
	journal   Journal
	tables    []Descriptor
	hub       *hub
	published atomic.Pointer[View]

	// lock is the writer lock; a channel, so that waiting for it ends with a
	// context. It guards everything below.
	lock     chan struct{}
	head     *head
	open     *Batch        // gathers changes; never nil
	newest   *Batch        // the last one handed to the journal; nil at first
	settled  chan struct{} // of the last batch handed over
	inFlight int
	doubtful []*Batch // failed; what became of them is not known until recovery
	sequence uint64   // of the last batch handed to the journal
	room     chan struct{}
	broken   bool // head is not to be trusted: recover first
	closed   bool
}

// Lead opens the store over a journal: everything committed is read into memory.
func Lead(ctx context.Context, j Journal) (*Leader, error) {
	l := &Leader{
		journal: j, tables: Tables(), hub: newHub(),
		lock: make(chan struct{}, 1), open: newBatch(), room: make(chan struct{}),
	}
	c, err := j.Load(ctx)
	if err != nil {
		return nil, err
	}
	l.adopt(c)
	l.published.Store(&View{c.Revision, l.head.snapshot()})
	return l, nil
}

// View is the newest durable state.
func (l *Leader) View() *View { return l.published.Load() }

// Watch returns a view and a watcher of what changes after it.
func (l *Leader) Watch(topics ...Topic) (*View, *Watcher) {
	l.lock <- struct{}{}
	defer l.release()
	return l.View(), l.hub.join(topics)
}

// Update runs fn over the newest state and waits until its changes are durable.
func (l *Leader) Update(ctx context.Context, fn func(*Tx) error) (*View, error) {
	if err := l.enter(ctx); err != nil {
		return nil, err
	}
	wanted, sent, receipt, err := l.run(fn)
	if err != nil {
		return nil, err
	}
	l.follow(sent, receipt)
	return l.wait(ctx, wanted)
}

// Close refuses further updates and closes the journal once those under way are
// done.
func (l *Leader) Close() error {
	l.lock <- struct{}{}
	for l.inFlight > 0 {
		room := l.room
		l.release()
		<-room
		l.lock <- struct{}{}
	}
	defer l.release()
	if l.closed {
		return nil
	}
	l.closed = true
	return l.journal.Close()
}

// enter takes the writer lock when a transaction may run.
func (l *Leader) enter(ctx context.Context) error {
	for {
		select {
		case l.lock <- struct{}{}:
		case <-ctx.Done():
			return unavailable("The request ended before the store was free; nothing was changed.").Because(ctx.Err())
		}
		if l.closed {
			l.release()
			return unavailable("The store is closed; nothing was changed.")
		}
		if l.broken && l.inFlight == 0 {
			if err := l.recover(ctx); err != nil {
				l.release()
				return unavailable("The store cannot read back what is committed; nothing was changed.").Because(err)
			}
		}
		if !l.broken && (l.inFlight < maxInFlight || !l.open.full()) {
			return nil
		}
		room := l.room
		l.release()
		select {
		case <-room:
		case <-ctx.Done():
			return unavailable("The request ended before the store had room; nothing was changed.").Because(ctx.Err())
		}
	}
}

func (l *Leader) release() { <-l.lock }

// run executes fn, puts its changes in the open batch and gives the lock back.
// wanted is what the caller has to wait for, nil when all that fn saw is durable
// already; sent is a batch handed to the journal meanwhile, or nil.
func (l *Leader) run(fn func(*Tx) error) (wanted, sent *Batch, receipt <-chan Receipt, err error) {
	defer l.release()
	tx := &Tx{head: l.head}
	kept := false
	defer func() {
		if !kept {
			tx.rollback(0) // an error, or a panic of fn on its way up
		}
	}()
	if err := fn(tx); err != nil {
		return nil, nil, nil, err
	}
	changes := tx.changes()
	if err := l.admit(changes); err != nil {
		return nil, nil, nil, err
	}
	kept = true
	if len(changes) > 0 {
		l.open.add(changes)
	}
	wanted = l.seen()
	sent, receipt = l.flush()
	return wanted, sent, receipt, nil
}

// seen is the batch with the newest change that a reader of head has seen.
func (l *Leader) seen() *Batch {
	if len(l.open.Changes) > 0 {
		return l.open
	}
	return l.newest
}

func (l *Leader) admit(changes []*Change) error {
	var w Weight
	for _, c := range changes {
		switch {
		case c.New == nil:
			w.Deletes++
			continue
		case c.Old == nil:
			w.Creates++
		default:
			w.Updates++
		}
		data, err := l.journal.Encode(c.Table, c.New)
		if err != nil {
			return fault.New(fault.Server, "A record of %s cannot be stored.", c.Table.Name()).Because(err)
		}
		c.Data = data
		w.Bytes += len(data)
	}
	if len(changes) > maxUpdateChanges || w.Bytes > maxUpdateBytes {
		return fault.New(fault.LimitExceeded, "The request changes too much at once: %d records, %d bytes.", len(changes), w.Bytes).
			WithHint("ask for fewer or smaller things in one call")
	}
	return l.journal.Admit(w)
}

// flush hands the open batch to the journal when there is something in it and
// one may be sent.
func (l *Leader) flush() (*Batch, <-chan Receipt) {
	if len(l.open.Changes) == 0 || l.inFlight >= maxInFlight || l.broken {
		return nil, nil
	}
	b := l.open
	l.sequence++
	b.seal(l.sequence, l.head.snapshot())
	b.before, l.settled = l.settled, b.settled
	l.open, l.newest = newBatch(), b
	l.inFlight++
	return b, l.journal.Append(b)
}

func (b *Batch) full() bool { return len(b.Changes) >= maxBatchChanges || b.Bytes >= maxBatchBytes }

// wait ends when b is durable or failed.
func (l *Leader) wait(ctx context.Context, b *Batch) (*View, error) {
	if b == nil {
		return l.View(), nil
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		select {
		case <-b.done:
		default:
			return nil, unknownOutcome(ctx.Err())
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	return b.view, nil
}

func unavailable(message string) *fault.Fault {
	return fault.New(fault.Unavailable, "%s", message).WithHint("try again")
}

func unknownOutcome(cause error) *fault.Fault {
	return fault.New(fault.Server, "The change was sent to the store but not confirmed; it may or may not have been made.").
		WithHint("look before trying again, or repeat the call with the same client token").Because(cause)
}
