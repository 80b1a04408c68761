package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/runtime/shim"
)

// shimEnd is how long a killed shim may take to be gone.
const shimEnd = 10 * time.Second

// endHalfMade ends the shims without a container: an agent was killed before they
// had made it, or after they had deleted it. containerd either clears away the
// folder they work in and lets them live, so that their sockets lead the next
// container of the same id to them, or keeps them as containers of which nothing is
// known.
func (r *Runtime) endHalfMade(bundles string) error {
	for {
		// A shim that was just beginning may have made another meanwhile.
		ended, err := r.endSomeHalfMade(bundles)
		if ended == 0 || err != nil {
			return err
		}
	}
}

// endSomeHalfMade ends those that are there now, and tells how many they were.
func (r *Runtime) endSomeHalfMade(bundles string) (ended int, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, p := range processes {
		pid, _ := strconv.Atoi(filepath.Base(p))
		id, ours := r.shimOf(pid)
		if !ours || r.holds(filepath.Join(bundles, id), id) {
			continue
		}
		r.log.Info("a shim without a container is ended", "container", id, "pid", pid)
		if err := r.endShim(pid, id); err != nil {
			return ended, fmt.Errorf("end the shim that was to hold container %s: %w", id, err)
		}
		ended++
	}
	return ended, nil
}

// shimOf tells whether a process is a shim of ours, and of which id.
func (r *Runtime) shimOf(pid int) (id string, ours bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "", false
	}
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	after := func(flag string) string {
		if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	id = after("-id")
	return id, filepath.Base(args[0]) == shim.Name && after("-address") == r.config.Data && id != ""
}

// holds asks the shim whether it has its container. One that cannot be asked has to
// be judged by containerd.
func (r *Runtime) holds(bundle, id string) bool {
	var where struct{ Address string }
	text, err := os.ReadFile(filepath.Join(bundle, "bootstrap.json"))
	if err != nil || json.Unmarshal(text, &where) != nil {
		return false // nobody was told yet where to ask
	}
	conn, err := net.DialTimeout("unix", strings.TrimPrefix(where.Address, "unix://"), patience)
	if err != nil {
		return true
	}
	client := ttrpc.NewClient(conn)
	defer client.Close()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	answer, err := task.NewTTRPCTaskClient(client).Connect(ctx, &task.ConnectRequest{ID: id})
	return err != nil || answer.TaskPid != 0
}

// endShim kills the process if it is still that shim, and waits until it is gone.
func (r *Runtime) endShim(pid int, id string) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // gone
	}
	defer unix.Close(fd)
	if now, ours := r.shimOf(pid); !ours || now != id {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		return err
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(shimEnd.Milliseconds()))
	if err == nil && n == 0 {
		err = fmt.Errorf("process %d is not gone after %v", pid, shimEnd)
	}
	return err
}
