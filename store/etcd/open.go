package etcd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"github.com/berthhq/berth/store"
)

// Options of a store on disk.
type Options struct {
	// Dir is the store's own folder; made when missing, mode 0700.
	Dir    string
	Logger *slog.Logger // nil for none
	// Quota bounds the database in bytes; 0 for 4 GiB.
	Quota int64
	// LowWater is the free space on Dir's disk, in bytes, below which nothing
	// new is taken; 0 for a twentieth of the disk, at most 2 GiB.
	LowWater int64
}

const (
	defaultQuota = 4 << 30
	// startPatience bounds the wait for the database to open: replaying the
	// log of a crash takes seconds at most.
	startPatience = 2 * time.Minute
	// An etcd alone elects itself: no reason to wait the second that a set of
	// members would.
	tickMillis, electionMillis = 100, 500
	// The last applied entries stay in etcd's memory until a snapshot, and some
	// longer for slow members, of which there are none.
	snapshotEvery, snapshotKeeps = 2000, 100
	// The log is synced with every batch; the database behind it can take its
	// time, since a restart replays the log.
	backendInterval = 500 * time.Millisecond
	// defragAtStart is how many MiB a defragmentation must win to be worth the
	// wait while nobody is served yet.
	defragAtStart = 64
)

// Store is a store on disk.
type Store struct {
	*store.Leader
	journal *journal
	upkeep  *upkeep
}

// Open opens the folder's store, or makes one. The folder is locked until Close.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Quota == 0 {
		o.Quota = defaultQuota
	}
	lock, err := lockFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	server, err := start(ctx, o)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	s, err := assemble(ctx, o, server, lock)
	if err != nil {
		server.Close()
		lock.Close()
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	return s, nil
}

func assemble(ctx context.Context, o Options, server *embed.Etcd, lock *os.File) (*Store, error) {
	records, err := newCodec()
	if err != nil {
		return nil, err
	}
	client := v3client.New(server.Server)
	j := &journal{client: client, codec: records, room: newRoom(o, server), stop: func() {
		client.Close()
		server.Close()
		lock.Close()
	}}
	if err := checkFormat(ctx, client); err != nil {
		return nil, err
	}
	leader, err := store.Lead(ctx, j)
	if err != nil {
		return nil, err
	}
	u := newUpkeep(o.Logger, server, client, j)
	go u.run()
	return &Store{Leader: leader, journal: j, upkeep: u}, nil
}

// Close waits for what is under way and closes the database.
func (s *Store) Close() error {
	s.upkeep.end()
	return s.Leader.Close()
}

func start(ctx context.Context, o Options) (*embed.Etcd, error) {
	c := embed.NewConfig()
	c.Name = "berth"
	c.Dir = filepath.Join(o.Dir, "etcd")
	c.ListenClientUrls, c.AdvertiseClientUrls, c.ListenPeerUrls = nil, nil, nil
	// Nobody listens there; etcd names a member by its peer URL.
	c.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:2380"}}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.TickMs, c.ElectionMs = tickMillis, electionMillis
	c.SnapshotCount, c.SnapshotCatchUpEntries = snapshotEvery, snapshotKeeps
	c.BackendBatchInterval, c.BackendBatchLimit = backendInterval, 100_000
	c.BootstrapDefragThresholdMegabytes = defragAtStart
	c.MaxTxnOps, c.MaxRequestBytes = maxOperations, maxRequestBytes
	c.QuotaBackendBytes = -1 // ours is watched in room, which tells deletes from creates
	c.EnableGRPCGateway = false
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(quietLogger(o.Logger))

	server, err := embed.StartEtcd(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	select {
	case <-server.Server.ReadyNotify():
		return server, nil
	case err := <-server.Err():
		server.Close()
		return nil, err
	case <-ctx.Done():
		server.Close()
		return nil, fmt.Errorf("the database did not become ready: %w", ctx.Err())
	}
}

// format is the layout of the keys themselves.
const format = "1"

func checkFormat(ctx context.Context, client *clientv3.Client) error {
	answer, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(formatKey), "=", 0)).
		Then(clientv3.OpPut(formatKey, format)).
		Else(clientv3.OpGet(formatKey)).Commit()
	if err != nil || answer.Succeeded {
		return err
	}
	if have := string(answer.Responses[0].GetResponseRange().Kvs[0].Value); have != format {
		return errors.New("its format is " + have + ", this berth knows " + format + ": start the newer berth that wrote it")
	}
	return nil
}
