package etcd

import (
	"context"
	"log/slog"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	upkeepEvery = 5 * time.Second
	// History is kept for at least historyKept and dropped once it is
	// historyMax old or historyBytes large.
	historyKept  = 10 * time.Second
	historyMax   = 5 * time.Minute
	historyBytes = 64 << 20
	// Defragmenting stops all writes for about a second a GiB: only when it
	// wins at least this much and half the file.
	defragWins = 512 << 20
)

// upkeep measures the room, drops history and defragments, until ended.
type upkeep struct {
	log     *slog.Logger
	server  *embed.Etcd
	client  *clientv3.Client
	journal *journal
	stop    context.CancelFunc
	ctx     context.Context
	done    sync.WaitGroup

	level     level
	compacted mark // the last compaction
	candidate mark // where the next one may cut
}

// mark is a point in history.
type mark struct {
	at       time.Time
	revision int64
	written  int64
}

func newUpkeep(log *slog.Logger, server *embed.Etcd, client *clientv3.Client, j *journal) *upkeep {
	u := &upkeep{log: log, server: server, client: client, journal: j}
	u.ctx, u.stop = context.WithCancel(context.Background())
	u.compacted = u.now()
	u.candidate = u.compacted
	u.done.Add(1)
	return u
}

func (u *upkeep) end() {
	u.stop()
	u.done.Wait()
}

func (u *upkeep) run() {
	defer u.done.Done()
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-u.ctx.Done():
			return
		case <-tick.C:
			u.measure()
			u.compact()
			u.defragment()
		}
	}
}

func (u *upkeep) measure() {
	was := u.level
	now, said := u.journal.room.measure()
	u.level = now
	switch {
	case now > was:
		u.log.Error("the store is short of room", "reason", said)
	case now < was && now == roomy:
		u.log.Info("the store has room again")
	}
}

func (u *upkeep) now() mark {
	return mark{time.Now(), u.server.Server.KV().Rev(), u.journal.written.Load()}
}

func (u *upkeep) compact() {
	now := u.now()
	if now.at.Sub(u.candidate.at) < historyKept || now.revision == u.compacted.revision {
		return
	}
	if now.written-u.compacted.written < historyBytes && now.at.Sub(u.compacted.at) < historyMax {
		return
	}
	cut := u.candidate
	u.candidate = now
	if cut.revision <= u.compacted.revision {
		return
	}
	if _, err := u.client.Compact(u.ctx, cut.revision); err != nil {
		if u.ctx.Err() == nil {
			u.log.Warn("dropping the store's history failed; it is tried again", "error", err)
		}
		return
	}
	u.compacted = mark{now.at, cut.revision, now.written}
}

func (u *upkeep) defragment() {
	b := u.server.Server.Backend()
	size, used := b.Size(), b.SizeInUse()
	if size-used < defragWins || used > size/2 {
		return
	}
	began := time.Now()
	if err := b.Defrag(); err != nil {
		u.log.Warn("defragmenting the store failed", "error", err)
		return
	}
	u.log.Info("defragmented the store", "before", size, "after", b.Size(), "took", time.Since(began))
}
