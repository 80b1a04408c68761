package kill

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one of this machine's; the start time tells it from a later one with
// the same pid.
type process struct {
	pid   int
	start int // in ticks since the machine's start
	args  string
}

// same tells whether both are one process, whatever program it has become.
func (p process) same(o process) bool { return p.pid == o.pid && p.start == o.start }

func (p process) String() string { return fmt.Sprintf("%d %s", p.pid, p.args) }

// all lists the processes that live and have the text in a file of their /proc folder.
func all(file, text string) (found []process) {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range entries {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		data, _ := os.ReadFile(dir + "/" + file)
		if pid == os.Getpid() || !bytes.Contains(data, []byte(text)) {
			continue
		}
		args, _ := os.ReadFile(dir + "/cmdline")
		if start, ok := startOf(pid); ok {
			found = append(found, process{pid, start, strings.ReplaceAll(strings.TrimRight(string(args), "\x00"), "\x00", " ")})
		}
	}
	return found
}

// startOf is when a process that lives started; a zombie does not live.
func startOf(pid int) (start int, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	start, err = strconv.Atoi(fields[19])
	return start, err == nil && fields[0] != "Z"
}

// processes are all that work in berth's folder, shims and loggers among them.
func (h *house) processes() []process { return all("cmdline", h.data) }

// role finds a process of berth's by what it does: the first that does it, for a
// process that is about to become another program looks like its parent.
func (h *house) role(name string) (found process, ok bool) {
	for _, p := range h.processes() {
		if f := strings.Fields(p.args); len(f) > 1 && f[0] == h.berth && f[1] == name && (!ok || p.start < found.start) {
			found, ok = p, true
		}
	}
	return found, ok
}

// kill ends a role's process, and waits until it is gone. It is false when it does
// not run just now.
func (h *house) kill(role string) bool {
	h.t.Helper()
	p, ok := h.role(role)
	if !ok || syscall.Kill(p.pid, syscall.SIGKILL) != nil {
		return false
	}
	h.until("the end of the "+role, time.Minute, func() error {
		if start, ok := startOf(p.pid); ok && start == p.start {
			return fmt.Errorf("%v lives", p)
		}
		return nil
	})
	return true
}

// first is the first process of a task's only container.
func first(taskID string) (process, error) {
	for _, p := range all("cgroup", taskID) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
		for line := range strings.Lines(string(status)) {
			if f := strings.Fields(line); len(f) > 2 && f[0] == "NSpid:" && f[len(f)-1] == "1" {
				return p, nil
			}
		}
	}
	return process{}, fmt.Errorf("task %s has no process", taskID)
}
