// Package store is berth's memory of everything that must survive: typed tables
// over immutable snapshots.
//
// Reading. A View is the whole state at one Revision. It never changes, taking
// one costs nothing and nobody waits for it:
//
//	v := st.View()
//	t, ok := store.Tasks.Get(v, arn)
//	for t := range store.Tasks.By(v, store.TasksByInstance, instanceARN) { ... }
//
// Records are shared by every view that holds them, so nobody may change one:
// copy the struct, change the copy (and clone what it points to before changing
// that), and Put it.
//
// Writing. Update runs a function on a Tx, one at a time, over the newest state,
// changes included that others have queued but that are not on disk yet. It
// returns once its own changes are durable, with a view that has them. A function
// that returns an error changes nothing. Inside, a Tx reads like a View, its own
// writes included; an iteration sees the state of the moment it began.
//
//	v, err := st.Update(ctx, func(tx *store.Tx) error {
//		t, ok := store.Tasks.Get(tx, arn)
//		if !ok {
//			return fault.New(...)
//		}
//		next := *t
//		next.Desired.Status = task.Stopped
//		store.Tasks.Put(tx, &next)
//		return nil
//	})
//
// The function must not block, call Update, or keep the Tx.
//
// Watching. Watch gives a view and everything durable that changes after it,
// nothing left out and nothing twice. Who is slow gets changes merged by record:
// the first old value and the last new one, so that what waits for it is never
// more than the records there are.
//
// Underneath, a Leader gathers changes into batches and hands them to a Journal:
// store/etcd keeps them on disk, store/memory only while the process lives. Both
// pass storetest.
package store
