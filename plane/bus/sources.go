package bus

import (
	"context"
	"time"

	"github.com/berthhq/berth/store"
)

const (
	// saveEvery is how often the cursor is stored while events come.
	saveEvery = 10 * time.Second
	// saveWithin bounds the wait for the store at the end.
	saveWithin = 2 * time.Second
	// overlap is how long before the cursor changes are sent again: the moments in
	// records come from clocks of other machines.
	overlap = time.Minute

	cursorName = "state-changes"
)

// attend watches the sources' tables while any rule listens.
func (b *Bus) attend(ctx context.Context) {
	v := b.Store.View()
	listening := store.Rules.Has(v, store.RulesListening, store.Listening)
	switch {
	case !listening && b.watch != nil:
		b.quiet()
		b.forget(ctx)
	case listening && b.watch == nil:
		topics := make([]store.Topic, len(b.Sources))
		for i := range b.Sources {
			topics[i] = store.TopicOf(b.Sources[i].Table)
		}
		if len(topics) == 0 { // would watch everything
			return
		}
		v, b.watch = b.Store.Watch(topics...)
		b.resume(v)
	}
	b.resumed = true
}

func (b *Bus) quiet() {
	if b.watch != nil {
		b.watch.Close()
		b.watch = nil
	}
}

// changes is ready when the sources' tables changed; nil while nobody listens.
func (b *Bus) changes() <-chan struct{} {
	if b.watch == nil {
		return nil
	}
	return b.watch.Ready()
}

// carry makes events of changes and hands them on.
func (b *Bus) carry(d store.Delta) {
	if len(d.Events) == 0 { // and no view
		return
	}
	now := b.Now()
	for i := range b.Sources {
		s := &b.Sources[i]
		if !b.wanted(d.View, s) {
			continue
		}
		for _, c := range d.Events {
			if s.Table != c.Table {
				continue
			}
			for _, e := range s.Events(d.View, c, now) {
				b.publish(d.View, &e, now)
			}
		}
	}
	b.unsaved = true
}

// wanted tells whether any rule may choose a source's events: to make them costs
// more than to ask.
func (b *Bus) wanted(v *store.View, s *Source) bool {
	for r := range store.Rules.By(v, store.RulesListening, store.Listening) {
		if p := b.pattern(r.Pattern); p != nil && p.Admits(s.Name, s.Type) {
			return true
		}
	}
	return false
}

// resume sends what changed since the cursor of the process before.
func (b *Bus) resume(v *store.View) {
	b.unsaved = true
	cursor, ok := store.EventCursors.Get(v, cursorName)
	if !ok || b.resumed {
		return
	}
	now := b.Now()
	for i := range b.Sources {
		if b.Sources[i].Since == nil || !b.wanted(v, &b.Sources[i]) {
			continue
		}
		for _, e := range b.Sources[i].Since(v, cursor.At.Add(-overlap)) {
			b.publish(v, &e, now)
		}
	}
}

// save stores the cursor: nothing that happened before it still waits.
func (b *Bus) save(ctx context.Context) {
	if !b.unsaved {
		return
	}
	now := b.Now()
	cursor := &store.EventCursor{Name: cursorName, At: b.oldest(now)}
	ctx, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	_, err := b.Store.Update(ctx, func(tx *store.Tx) error {
		store.EventCursors.Put(tx, cursor)
		return nil
	})
	if err != nil {
		b.Log.Warn("the cursor of events was not stored: events may be sent again after a restart", "err", err)
	}
	b.unsaved, b.savedAt = false, now
}

// forget drops the cursor, so that no rule of later gets what happened while none
// listened.
func (b *Bus) forget(ctx context.Context) {
	b.unsaved = false
	_, err := b.Store.Update(ctx, func(tx *store.Tx) error {
		store.EventCursors.Delete(tx, cursorName)
		return nil
	})
	if err != nil {
		b.Log.Warn("the cursor of events was not dropped", "err", err)
	}
}
