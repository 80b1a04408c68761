package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/task"
)

// The shared memory of a task whose containers share IPC is a mount of the host's:
// what is mounted in the holder's namespace cannot be bound into another.

func (e *Engine) sharedMemory(taskID string) string { return filepath.Join(e.files(taskID), "shm") }

// sharesMemory tells whether the task's containers have one /dev/shm. In a sandbox
// they always share what the sandbox gives.
func (e *Engine) sharesMemory(o *task.Order) bool { return o.IPCMode == "task" && !e.sandboxed(o) }

// mountSharedMemory gives the task its shared memory: the largest that a container
// asks for.
func (e *Engine) mountSharedMemory(o *task.Order) error {
	mib := 64
	for i := range o.Containers {
		if l := o.Containers[i].Linux; l != nil && l.SharedMemorySize != nil {
			mib = max(mib, *l.SharedMemorySize)
		}
	}
	if err := e.unmountSharedMemory(o.ID); err != nil { // of an engine that was killed here
		return err
	}
	dir := e.sharedMemory(o.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err := unix.Mount("shm", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("mode=1777,size=%dm", mib))
	if err != nil {
		return fmt.Errorf("mount the task's shared memory: %w", err)
	}
	return nil
}

func (e *Engine) unmountSharedMemory(taskID string) error {
	err := unix.Unmount(e.sharedMemory(taskID), unix.MNT_DETACH)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
		return nil // there is none
	}
	return err
}
