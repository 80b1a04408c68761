package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
)

// labelSecretFiles is the docker label by which a container asks to see its secrets
// as files, too, in the directory that it names. They are kept in memory, and
// replaced while the container runs when a secret changes.
const labelSecretFiles = "berth.secret-files"

// secretsDir is where a container sees its secrets as files; empty for nowhere.
func secretsDir(c *task.OrderContainer) (string, error) {
	dir := c.DockerLabels[labelSecretFiles]
	if dir == "" {
		return "", nil
	}
	if !path.IsAbs(dir) || path.Clean(dir) == "/" {
		return "", fmt.Errorf("the docker label %s of container %s must be an absolute path below /: %s", labelSecretFiles, c.Name, dir)
	}
	for _, s := range c.Secrets {
		if strings.Contains(s.Name, "/") || !filepath.IsLocal(s.Name) {
			return "", fmt.Errorf("the secret %s of container %s cannot be a file of that name", s.Name, c.Name)
		}
	}
	return path.Clean(dir), nil
}

// secretsRoot holds the secrets of all containers of a task: root's alone.
func (e *Engine) secretsRoot(taskID string) string { return filepath.Join(e.files(taskID), "secrets") }

func (e *Engine) secretsMount(taskID, container string) string {
	return filepath.Join(e.secretsRoot(taskID), container)
}

// mountSecrets gives a container that asks for it the file system with its secrets.
func (e *Engine) mountSecrets(a attemptOf, s *runtime.Container, secrets map[string]string) error {
	dir, err := secretsDir(a.c)
	if dir == "" || err != nil {
		return err
	}
	mount := e.secretsMount(a.order.ID, a.c.Name)
	if err := mountMemory(mount, len(secrets)); err != nil {
		return fmt.Errorf("mount the secrets of container %s: %w", a.c.Name, err)
	}
	if err := placeSecrets(mount, secrets, ownerOf(s.User)); err != nil {
		return fmt.Errorf("write the secrets of container %s: %w", a.c.Name, err)
	}
	s.Mounts = append(s.Mounts, runtime.Mount{Kind: runtime.Bind, Source: mount, Target: dir, ReadOnly: true, Options: []string{"nosuid", "nodev", "noexec"}})
	return nil
}

// secretRoom is twice what the largest secret takes: the old and the new one.
const secretRoom = 2 * 64 << 10

func mountMemory(dir string, secrets int) error {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC && fs.Blocks > 0 && isMount(dir) {
		return nil // of an earlier attempt
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return unix.Mount("secrets", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("mode=0755,size=%d", (secrets+1)*secretRoom))
}

func isMount(dir string) bool {
	var own, parent unix.Stat_t
	return unix.Stat(dir, &own) == nil && unix.Stat(filepath.Dir(dir), &parent) == nil && own.Dev != parent.Dev
}

func (e *Engine) unmountSecrets(o *task.Order) error {
	var errs []error
	for i := range o.Containers {
		err := unix.Unmount(e.secretsMount(o.ID, o.Containers[i].Name), unix.MNT_DETACH)
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// possession is who owns a file and what they may do with it.
type possession struct {
	uid, gid int
	mode     os.FileMode
}

// ownerOf gives secrets to the container's user. One that is named and not numbered
// is known in the image only: whoever is in the container may read, and no one else
// sees the files.
func ownerOf(user string) possession {
	name, group, _ := strings.Cut(user, ":")
	if name == "" {
		name = "0"
	}
	uid, err := strconv.Atoi(name)
	if err != nil {
		return possession{mode: 0o444}
	}
	gid, _ := strconv.Atoi(group) // 0 where it is named, which 0400 makes no difference
	return possession{uid, gid, 0o400}
}

// placeSecrets replaces the files whose values are others, each at once.
func placeSecrets(dir string, secrets map[string]string, owner possession) error {
	for name, value := range secrets {
		file := filepath.Join(dir, name)
		if have, err := os.ReadFile(file); err == nil && string(have) == value {
			continue
		}
		if err := placeSecret(file, value, owner); err != nil {
			return err
		}
	}
	return nil
}

func placeSecret(file, value string, owner possession) error {
	fresh := filepath.Join(filepath.Dir(file), ".new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.WriteFile(fresh, []byte(value), 0o400); err != nil {
		return err
	}
	if err := errors.Join(os.Chown(fresh, owner.uid, owner.gid), os.Chmod(fresh, owner.mode)); err != nil {
		return err
	}
	return os.Rename(fresh, file)
}

// watchSecrets keeps the files of a container what its secrets are, as long as its
// attempt runs.
func (k *keeper) watchSecrets(i int) {
	o, c := k.record.Local.Order, k.order(i)
	if dir, err := secretsDir(c); dir == "" || err != nil || len(c.Secrets) == 0 || k.e.config.Secrets == nil {
		return
	}
	id := k.record.Containers[i].RuntimeID
	image := k.record.Containers[i].Image
	k.doing.Go(func() {
		ctx, cancel := context.WithCancel(k.ctx)
		defer cancel()
		k.doing.Go(func() { // it ends with the container
			_, _ = k.e.config.Runtime.Wait(ctx, id)
			cancel()
		})
		k.e.followSecrets(ctx, o, c, image)
	})
}

func (e *Engine) followSecrets(ctx context.Context, o *task.Order, c *task.OrderContainer, image string) {
	failing := false
	for pause(ctx, e.config.SecretsEvery) {
		err := e.refreshSecrets(ctx, o, c, image)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			e.log.Warn("cannot refresh the secrets of a container; it keeps those it has", "task", o.ARN, "container", c.Name, "error", err)
		}
		failing = err != nil
	}
}

func (e *Engine) refreshSecrets(ctx context.Context, o *task.Order, c *task.OrderContainer, image string) error {
	now, err := e.config.Secrets.Secrets(ctx, e.current(o), c)
	if err != nil {
		return err
	}
	img, err := e.config.Images.Get(ctx, image)
	if err != nil {
		return err
	}
	e.retell(o.ARN, c.Name, now)
	return placeSecrets(e.secretsMount(o.ID, c.Name), now, ownerOf(first(c.User, img.Config.User)))
}

// retell has a container's next attempt begin with the secrets of now.
func (e *Engine) retell(arn, container string, secrets map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	told, ok := e.told[arn]
	if !ok {
		return
	}
	told = maps.Clone(told)
	one := told[container]
	one.Secrets = secrets
	told[container] = one
	e.told[arn] = told
}
