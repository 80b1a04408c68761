package store

import (
	"context"
	"errors"
	"fmt"
)

// errUnsettled marks a batch behind a failed one.
var errUnsettled = errors.New("an earlier batch failed")

// follow settles a batch when its receipt comes: at once, on the caller's
// goroutine, for a journal that is done at once.
func (l *Leader) follow(b *Batch, receipt <-chan Receipt) {
	for b != nil {
		select {
		case r := <-receipt:
			b, receipt = l.settle(b, r)
		default:
			go func() { l.follow(l.settle(b, <-receipt)) }()
			return
		}
	}
}

// settle publishes a durable batch, or sets a failed one aside, and hands over
// the next. Batches settle in order, whatever the order of their receipts.
func (l *Leader) settle(b *Batch, r Receipt) (*Batch, <-chan Receipt) {
	if b.before != nil {
		<-b.before
		b.before = nil
	}
	l.lock <- struct{}{}
	defer l.release()
	l.inFlight--
	if r.Err == nil && len(l.doubtful) > 0 {
		r.Err = errUnsettled
	}
	if r.Err != nil {
		l.doubt(b, r.Err)
	} else {
		l.publish(b, r.Revision)
	}
	close(b.settled)
	close(l.room)
	l.room = make(chan struct{})
	return l.flush()
}

func (l *Leader) publish(b *Batch, at Revision) {
	b.view = &View{at, b.after}
	b.after = nil
	if l.newest == b {
		l.newest = nil
	}
	l.published.Store(b.view)
	l.hub.publish(b.view, b.Changes)
	close(b.done)
}

// doubt sets a failed batch aside. With the last of those under way, what is
// committed is read back, and everyone learns what became of theirs.
func (l *Leader) doubt(b *Batch, err error) {
	l.broken = true
	b.err = err
	l.doubtful = append(l.doubtful, b)
	if l.inFlight > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), recoverPatience)
	defer cancel()
	if err := l.recover(ctx); err != nil {
		l.abandon(err)
	}
}

// recover rebuilds memory from what is committed and settles the doubtful.
func (l *Leader) recover(ctx context.Context) error {
	c, err := l.journal.Load(ctx)
	if err != nil {
		return err
	}
	before := l.View()
	l.adopt(c)
	v := &View{c.Revision, l.head.snapshot()}
	l.published.Store(v)
	l.hub.publish(v, difference(l.tables, before, v))
	for _, b := range l.doubtful {
		if b.Sequence <= c.Sequence {
			b.err, b.view = nil, v
		} else {
			b.err = unavailable("The store could not write the change; nothing was changed.").Because(b.err)
		}
		close(b.done)
	}
	l.doubtful = nil
	l.drop(unavailable("The store failed before the change was written; nothing was changed."))
	l.broken = false
	return nil
}

// abandon tells those who wait that nobody knows. The next update tries again to
// recover.
func (l *Leader) abandon(cause error) {
	for _, b := range l.doubtful {
		if errors.Is(b.err, ErrNotWritten) {
			b.err = unavailable("The store could not write the change; nothing was changed.").Because(b.err)
		} else {
			b.err = unknownOutcome(fmt.Errorf("%w; then reading back: %w", b.err, cause))
		}
		close(b.done)
	}
	l.doubtful = nil
	l.drop(unavailable("The store failed before the change was written; nothing was changed.").Because(cause))
}

// drop fails the open batch, whose changes were made to a state that is no more.
func (l *Leader) drop(err error) {
	b := l.open
	l.open, l.newest = newBatch(), nil
	if len(b.Changes) > 0 {
		b.err = err
		close(b.done)
	}
}

// adopt makes what is committed the newest state.
func (l *Leader) adopt(c *Contents) {
	l.head = newHead(l.tables)
	for _, r := range c.Records {
		l.head.set(r.Table, r.Table.KeyOf(r.Value), r.Value)
	}
	l.sequence = c.Sequence
}
