package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is a running program: a child of ours, or one that a supervisor before
// us started. The start time tells it from a later process with the same pid.
type process struct {
	pid   int
	start string // field 22 of /proc/PID/stat
	done  chan struct{}
}

// started records a child and waits for it in the background.
func started(cmd *exec.Cmd, pidFile string) (*process, error) {
	p := &process{pid: cmd.Process.Pid, done: make(chan struct{})}
	var err error
	if p.start, err = startTime(p.pid); err != nil {
		return nil, err
	}
	if err := writeFile(pidFile, fmt.Sprintf("%d %s\n", p.pid, p.start)); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// adopt finds the process that a pid file names, if it still runs.
func adopt(pidFile string) (*process, bool) {
	p, ok := find(pidFile)
	if !ok {
		return nil, false
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return nil, false
	}
	go func() {
		defer unix.Close(fd)
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if !errors.Is(err, unix.EINTR) {
				close(p.done)
				return
			}
		}
	}()
	return p, true
}

func find(pidFile string) (*process, bool) {
	data, err := os.ReadFile(pidFile)
	if err != nil {
		return nil, false
	}
	p := &process{done: make(chan struct{})}
	if _, err := fmt.Sscan(string(data), &p.pid, &p.start); err != nil {
		return nil, false
	}
	now, err := startTime(p.pid)
	return p, err == nil && now == p.start
}

// lookFor finds the process that was started by these arguments and writes its pid
// file: a supervisor killed between the two leaves one without. The first such is it,
// for its children look like it until they become other programs.
func lookFor(args []string, pidFile string) bool {
	want := strings.Join(args, "\x00") + "\x00"
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found process
	first := uint64(math.MaxUint64)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || string(text) != want {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		start, err := startTime(pid)
		if at, _ := strconv.ParseUint(start, 10, 64); err == nil && at < first {
			found, first = process{pid: pid, start: start}, at
		}
	}
	return found.pid != 0 && writeFile(pidFile, fmt.Sprintf("%d %s\n", found.pid, found.start)) == nil
}

// Running tells whether the process that a pid file names still runs, and its pid.
func Running(pidFile string) (pid int, ok bool) {
	p, ok := find(pidFile)
	if !ok {
		return 0, false
	}
	return p.pid, true
}

// WritePID records our own process in a pid file.
func WritePID(pidFile string) error {
	start, err := startTime(os.Getpid())
	if err != nil {
		return err
	}
	return writeFile(pidFile, fmt.Sprintf("%d %s\n", os.Getpid(), start))
}

// ended is a process that is no more.
func ended() *process {
	p := &process{done: make(chan struct{})}
	close(p.done)
	return p
}

func (p *process) signal(sig syscall.Signal) error {
	if now, err := startTime(p.pid); p.pid == 0 || err != nil || now != p.start {
		return os.ErrProcessDone
	}
	return syscall.Kill(p.pid, sig)
}

// startTime reads when a live process started, in clock ticks since boot. A
// zombie counts as gone.
func startTime(pid int) (string, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The second field is the name in parentheses and may hold anything.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 || string(fields[0]) == "Z" {
		return "", os.ErrProcessDone
	}
	return string(fields[19]), nil
}

func writeFile(path, text string) error {
	part := path + ".part"
	if err := os.WriteFile(part, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}
