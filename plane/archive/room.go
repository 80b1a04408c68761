package archive

import (
	"sync/atomic"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/database"
)

// room keeps the archive within its quota and the disk.
type room struct {
	quota int64
	full  Full
	disk  *database.Disk // when it is full, agents keep their events and send them later; creates and deletes still find room

	stored  atomic.Int64 // bytes of all events
	refused atomic.Int64 // events
	dropped atomic.Int64 // bytes
}

// admit refuses events that have no room. makeRoom is true when old events should
// go soon.
func (r *room) admit(events int, bytes int64) (makeRoom bool, err error) {
	if r.disk.Full() {
		r.refused.Add(int64(events))
		return false, fault.New(fault.Unavailable, "The log archive's disk is nearly full.").
			WithHint("free space on the server's disk; the events are taken again below %d %%", int(100*database.FullDisk))
	}
	if r.quota == 0 || r.stored.Load()+bytes <= r.quota {
		return false, nil
	}
	// Old events go in the background; a tenth of the quota is lent meanwhile.
	if r.full == DropOldest && r.stored.Load()+bytes <= r.quota+r.quota/10 {
		return true, nil
	}
	r.refused.Add(int64(events))
	return r.full == DropOldest, fault.New(fault.Unavailable, "The log archive is full: its quota is %d bytes.", r.quota).
		WithHint("shorten the retention of log groups or delete some, or raise the quota")
}
