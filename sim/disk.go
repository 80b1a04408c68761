package sim

import (
	"context"
	"errors"

	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	errDisk = errors.New("simulated: the write failed")
	errDead = errors.New("simulated: the server is dead")
)

// disk is the store's journal with faults. It outlives servers.
type disk struct {
	*memory.Journal
	w     *world
	left  int // batches until the server dies; -1 for none planned
	dying bool
	dead  bool
}

func newDisk(w *world) *disk { return &disk{Journal: memory.NewJournal(), w: w} }

// dieAfter kills the server in the middle of what it does, some batches from now.
func (d *disk) dieAfter(batches int) { d.dying, d.left = true, batches }

func (d *disk) heal() { d.dying = false }

// Append writes a batch, or fails to, or writes it and fails to say so.
func (d *disk) Append(b *store.Batch) <-chan store.Receipt {
	if d.dying {
		if d.left == 0 {
			d.dead = true
		}
		d.left--
	}
	out := make(chan store.Receipt, 1)
	switch {
	case d.dead:
		out <- store.Receipt{Err: errDead}
	case d.w.chance(d.w.faults.disk):
		if d.w.chance(0.5) {
			<-d.Journal.Append(b)
		}
		out <- store.Receipt{Err: errDisk}
	default:
		return d.Journal.Append(b)
	}
	return out
}

// Load reads what was written, unless the server is dead.
func (d *disk) Load(ctx context.Context) (*store.Contents, error) {
	if d.dead {
		return nil, errDead
	}
	return d.Journal.Load(ctx)
}
