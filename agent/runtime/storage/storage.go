// Package storage is what an agent keeps on disk for its containers: image
// content, unpacked layers, container records, and the database that knows which
// of them are in use. It is containerd's, put together by hand instead of through
// its plugin registry, so that two of them may live in one process.
package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/diff/apply"
	"github.com/containerd/containerd/v2/core/events/exchange"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Namespace is containerd's name for whose objects these are. A storage has one.
const Namespace = "berth"

// lockTimeout is how long Open waits for another process to let go of the folder:
// one that was just killed releases it at once.
const lockTimeout = 3 * time.Second

// ErrInUse means that another process has the folder open.
var ErrInUse = errors.New("the data folder is in use by another berth agent")

// Storage holds the parts. All are safe for concurrent use.
type Storage struct {
	Content    content.Store
	Images     images.Store
	Containers containers.Store
	Leases     leases.Manager
	Snapshots  snapshots.Snapshotter
	// Snapshotter is the name under which Snapshots is registered: "overlayfs",
	// or "native" where the file system cannot carry overlays.
	Snapshotter string
	Applier     diff.Applier
	Events      *exchange.Exchange

	db   *metadata.DB // owns the file that was opened
	snap snapshots.Snapshotter
}

// Open opens or creates the storage in folder. One process at a time has it.
func Open(ctx context.Context, folder string) (*Storage, error) {
	_ = log.SetLevel("error") // of containerd's own logger, for what it tells without a context
	if err := os.MkdirAll(folder, 0o711); err != nil {
		return nil, err
	}
	db, err := openBolt(filepath.Join(folder, "meta.db"))
	if err != nil {
		return nil, err
	}
	s, err := assemble(Context(ctx), folder, db)
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// Context marks ctx as speaking of the storage's objects.
func Context(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, Namespace)
}

func openBolt(path string) (*bolt.DB, error) {
	options := *bolt.DefaultOptions
	options.Timeout = lockTimeout
	options.NoFreelistSync = true // rebuilt at open; a torn freelist cannot spoil the file
	db, err := bolt.Open(path, 0o600, &options)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, filepath.Dir(path))
	}
	return db, err
}

func assemble(ctx context.Context, folder string, db *bolt.DB) (*Storage, error) {
	blobs, err := local.NewStore(filepath.Join(folder, "content"))
	if err != nil {
		return nil, fmt.Errorf("open image content: %w", err)
	}
	name, snap, err := openSnapshots(folder)
	if err != nil {
		return nil, fmt.Errorf("open unpacked layers: %w", err)
	}
	if err := sweep(ctx, snap, filepath.Join(folder, name, "snapshots")); err != nil {
		return nil, errors.Join(fmt.Errorf("sweep unpacked layers: %w", err), snap.Close())
	}
	mdb := metadata.NewDB(db, blobs, map[string]snapshots.Snapshotter{name: snap})
	if err := mdb.Init(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open metadata: %w", err), snap.Close())
	}
	return &Storage{
		Content:     mdb.ContentStore(),
		Images:      metadata.NewImageStore(mdb),
		Containers:  metadata.NewContainerStore(mdb),
		Leases:      metadata.NewLeaseManager(mdb),
		Snapshots:   mdb.Snapshotter(name),
		Snapshotter: name,
		Applier:     apply.NewFileSystemApplier(mdb.ContentStore()),
		Events:      exchange.NewExchange(),
		db:          mdb,
		snap:        snap,
	}, nil
}

// openSnapshots takes overlayfs where it works: a container then costs a
// directory. Elsewhere layers are copied.
func openSnapshots(folder string) (string, snapshots.Snapshotter, error) {
	root := filepath.Join(folder, "overlayfs")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", nil, err
	}
	if overlayWorks(root) {
		s, err := overlay.NewSnapshotter(root, overlay.AsynchronousRemove)
		return "overlayfs", s, err
	}
	s, err := native.NewSnapshotter(filepath.Join(folder, "native"))
	return "native", s, err
}

// sweep removes the folders that nobody knows: whoever was killed between naming one
// and writing it down left it, and its name would be given again.
func sweep(ctx context.Context, snap snapshots.Snapshotter, folder string) error {
	s, ok := snap.(snapshots.Cleaner)
	if !ok {
		return nil
	}
	err := s.Cleanup(ctx)
	if errdefs.IsNotFound(err) { // nothing was ever written down
		return errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700))
	}
	return err
}

// Collect removes content and snapshots that no image, container or lease refers
// to. It may run beside pulls, which hold leases; creation of containers must not
// run beside it.
func (s *Storage) Collect(ctx context.Context) error {
	if _, err := s.db.GarbageCollect(Context(ctx)); err != nil {
		return fmt.Errorf("collect garbage: %w", err)
	}
	return nil
}

// Close lets the folder go.
func (s *Storage) Close() error {
	return errors.Join(s.db.Close(), s.snap.Close())
}
