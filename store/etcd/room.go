package etcd

import (
	"fmt"
	"sync/atomic"

	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// room decides what the disk has room for. Below the low-water mark nothing new
// is made, but what there is can still change, so that tasks report and stop;
// below a quarter of it things can only be deleted.
type room struct {
	dir      string
	server   *embed.Etcd
	quota    int64
	lowWater int64
	level    atomic.Int32 // a level; measure sets it
	said     atomic.Value // string: what is short
}

type level = int32

const (
	roomy level = iota
	low
	full
)

func newRoom(o Options, server *embed.Etcd) *room {
	r := &room{dir: o.Dir, server: server, quota: o.Quota, lowWater: o.LowWater}
	r.measure()
	return r
}

// measure looks at the disk and the database. It returns the level and, unless
// there is room, what is short.
func (r *room) measure() (level, string) {
	at, said := r.disk()
	if used := r.server.Server.Backend().SizeInUse(); used > r.quota && at < full {
		at, said = low, fmt.Sprintf("the store holds %d MiB of the %d MiB it may", used>>20, r.quota>>20)
		if used > r.quota+r.quota/4 {
			at = full
		}
	}
	r.said.Store(said)
	r.level.Store(at)
	return at, said
}

func (r *room) disk() (level, string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(r.dir, &fs); err != nil {
		return full, "the disk of the store cannot be read: " + err.Error()
	}
	free, size := int64(fs.Bavail)*fs.Bsize, int64(fs.Blocks)*fs.Bsize
	mark := r.lowWater
	if mark == 0 {
		mark = min(size/20, 2<<30)
	}
	said := fmt.Sprintf("the disk of the store has %d MiB free of the %d MiB it needs", free>>20, mark>>20)
	switch {
	case free < mark/4:
		return full, said
	case free < mark:
		return low, said
	}
	return roomy, ""
}

func (r *room) admit(w store.Weight) error {
	at := r.level.Load()
	if at == roomy || at == low && w.Creates == 0 || w.Creates+w.Updates == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, "Nothing can be added: %s.", r.said.Load()).
		WithHint("free disk space, or delete what is no longer needed; stops and deletes still work")
}
