package runtime

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// userCache remembers who a user is in an image. Layers never change, so neither
// does the answer.
type userCache struct {
	mu    sync.Mutex
	known map[[2]string]identity // by layers and user
}

// lookup finds a user ("", "name", "12", "name:group") in the files of an image.
// No layers means an image without such files.
func (u *userCache) lookup(ctx context.Context, s *storage.Storage, layers, name string) (identity, error) {
	key := [2]string{layers, name}
	u.mu.Lock()
	who, ok := u.known[key]
	u.mu.Unlock()
	if ok {
		return who, nil
	}
	who, err := searchUser(ctx, s, layers, name)
	if err != nil {
		return identity{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil || len(u.known) > 1000 {
		u.known = map[[2]string]identity{}
	}
	u.known[key] = who
	return who, nil
}

func searchUser(ctx context.Context, s *storage.Storage, layers, name string) (who identity, err error) {
	if layers == "" {
		return resolveUser(name, nil, nil)
	}
	key := "users-" + rand.Text()
	mounts, err := s.Snapshots.View(ctx, key, layers)
	if err != nil {
		return identity{}, fmt.Errorf("look up user %q: %w", name, err)
	}
	defer func() { _ = s.Snapshots.Remove(context.WithoutCancel(ctx), key) }()
	var unknown error // kept apart: what goes through the mount comes back in its words
	err = mount.WithReadonlyTempMount(ctx, mounts, func(root string) error {
		passwd, group := openInside(root, "etc/passwd"), openInside(root, "etc/group")
		defer passwd.Close()
		defer group.Close()
		who, unknown = resolveUser(name, passwd, group)
		return nil
	})
	if err == nil {
		err = unknown
	}
	return who, err
}

func resolveUser(name string, passwd, group io.Reader) (identity, error) {
	if passwd == nil {
		passwd, group = strings.NewReader(""), strings.NewReader("")
	}
	u, err := user.GetExecUser(name, &user.ExecUser{Home: "/"}, passwd, group)
	if err != nil {
		return identity{}, err // says which user or group is unknown
	}
	who := identity{uid: uint32(u.Uid), gid: uint32(u.Gid), home: u.Home}
	for _, g := range u.Sgids {
		who.groups = append(who.groups, uint32(g))
	}
	return who, nil
}

// openInside opens a file as a process with that root would see it: links lead
// nowhere outside. A file that is not there reads as empty.
func openInside(root, path string) io.ReadCloser {
	empty := io.NopCloser(strings.NewReader(""))
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return empty
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return empty
	}
	return os.NewFile(uintptr(fd), path)
}
