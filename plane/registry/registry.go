// Package registry keeps container images: an OCI registry on a folder, the gate
// that lets authenticated clients at it, and the client with which the ECR API
// reads it.
//
// A Registry runs in the storage role, a process of its own, and listens on a
// unix socket that only berth can open: whoever reaches it may do everything. The
// Gate runs where clients arrive, checks who they are, which repository they mean
// and whether they may, and passes the request on. A Client speaks to the same
// socket for the ECR API.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Config says where a registry keeps its images and when it stops taking more.
type Config struct {
	Root string // folder of its own; one process at a time
	Log  *slog.Logger

	// FullAt is the used share of the file system, 0 to 1, from which nothing new
	// is taken. Reading and deleting always work. 0 means 0.95.
	FullAt float64

	// SweepEvery is how often unreferenced layers are deleted; 0 means every six
	// hours. KeepUnreferenced is how long a layer may wait for the manifest that
	// names it; 0 means a day.
	SweepEvery       time.Duration
	KeepUnreferenced time.Duration
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.FullAt == 0 {
		c.FullAt = 0.95
	}
	if c.SweepEvery == 0 {
		c.SweepEvery = 6 * time.Hour
	}
	if c.KeepUnreferenced == 0 {
		c.KeepUnreferenced = 24 * time.Hour
	}
	return c
}

// Registry serves the images of one folder. It is an http.Handler.
type Registry struct {
	config   Config
	lock     *os.File // held for the life of the registry: one process per folder
	backend  *backend
	contents *contents
	disk     disk
	tagLocks tagLocks
	sweeping sync.RWMutex // read: a write of a manifest or a layer's last step; write: the sweep
	routes   *http.ServeMux

	stop context.CancelFunc
	done sync.WaitGroup
}

// Open opens the folder, making it if need be, and mends what a crash left half
// done. It fails when another process has the folder.
func Open(c Config) (*Registry, error) {
	c = c.withDefaults()
	if err := os.MkdirAll(c.Root, 0o700); err != nil {
		return nil, fmt.Errorf("registry folder: %w", err)
	}
	lock, err := lockFolder(c.Root)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	backend, err := newBackend(ctx, c.Root)
	if err != nil {
		stop()
		return nil, errors.Join(err, lock.Close())
	}
	r := &Registry{config: c, lock: lock, backend: backend, disk: disk{c.Root, c.FullAt}, stop: stop}
	r.contents = newContents(backend)
	r.routes = r.paths()
	if err := r.mend(); err != nil {
		return nil, errors.Join(fmt.Errorf("mend registry: %w", err), r.Close())
	}
	r.done.Go(func() { r.sweepForever(ctx) })
	return r, nil
}

func lockFolder(root string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(root, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("registry lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("registry folder %s is in use by another process: %w", root, err), f.Close())
	}
	return f, nil
}

// Close stops the registry's own work and gives the folder free. Requests must
// have ended before.
func (r *Registry) Close() error {
	r.stop()
	r.done.Wait()
	return errors.Join(r.backend.close(), r.lock.Close())
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.routes.ServeHTTP(w, req) }

// Serve listens on a unix socket that only this user can open, until ctx ends.
// Requests under way get a few seconds to finish.
func (r *Registry) Serve(ctx context.Context, socket string) error {
	l, err := listenPrivately(socket)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(r.config.Log.Handler(), slog.LevelWarn)}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("registry socket: %w", err)
	}
	return nil
}

// listenPrivately makes the socket in a way that nobody else can ever open it: a
// name of its own with the right mode first, then its place.
func listenPrivately(socket string) (net.Listener, error) {
	temporary := fmt.Sprintf("%s.%d", socket, os.Getpid())
	_ = os.Remove(temporary)
	l, err := net.Listen("unix", temporary)
	if err != nil {
		return nil, fmt.Errorf("registry socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(temporary, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := os.Rename(temporary, socket); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
