package gvisor

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// killed is the exit code when the sandbox ended under its containers.
const killed = 128 + int(syscall.SIGKILL)

// place is where a monitor is met: a folder with two named pipes, "go", which
// tells it to start the container, and "gone", which says how that went.
func (c command) place() string {
	return filepath.Join(filepath.Dir(filepath.Clean(c.flag("root"))), "monitors", c.operand(0))
}

// create creates the container and, when it joins a sandbox, leaves its monitor
// behind, whose id goes into the pid file.
func (c command) create(self string) error {
	joining, err := joins(c.flag("bundle"))
	if err != nil {
		return err
	}
	if !joining {
		return c.become()
	}
	pids := c.flag("pid-file")
	if err := c.do(c.verb, c.rest...); err != nil {
		return err
	}
	place := c.place()
	if err := os.MkdirAll(place, 0o700); err != nil {
		return err
	}
	for _, pipe := range []string{"go", "gone"} {
		if err := syscall.Mkfifo(filepath.Join(place, pipe), 0o600); err != nil && err != syscall.EEXIST {
			return fmt.Errorf("make %s: %w", pipe, err)
		}
	}
	m := exec.Command(self, append(append([]string{}, c.global...), "monitor", c.operand(0))...)
	m.Stdin, m.Stdout, m.Stderr = os.Stdin, os.Stdout, os.Stderr
	m.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives us and becomes the shim's child
	if err := m.Start(); err != nil {
		return err
	}
	pid := strconv.Itoa(m.Process.Pid)
	if err := os.WriteFile(filepath.Join(place, "pid"), []byte(pid), 0o600); err != nil {
		return err
	}
	return os.WriteFile(pids, []byte(pid), 0o644)
}

// start tells the monitor to start the container and waits until it has.
func (c command) start() error {
	place := c.place()
	if _, err := os.Stat(place); err != nil {
		return c.become()
	}
	if err := os.WriteFile(filepath.Join(place, "go"), []byte("go"), 0); err != nil {
		return err
	}
	answer, err := os.ReadFile(filepath.Join(place, "gone"))
	if err != nil {
		return err
	}
	if len(answer) > 0 {
		return fmt.Errorf("%s", answer)
	}
	return os.WriteFile(filepath.Join(place, "started"), nil, 0o600)
}

// monitor holds the container's input and output from before its start to its
// end, and returns its exit code.
func (c command) monitor() int {
	place := c.place()
	if _, err := os.ReadFile(filepath.Join(place, "go")); err != nil { // blocks until start
		return killed
	}
	err := c.do("start", c.operand(0))
	var answer []byte
	if err != nil {
		answer = []byte("runsc start: " + err.Error())
	}
	if os.WriteFile(filepath.Join(place, "gone"), answer, 0) != nil || err != nil {
		return killed
	}
	quiet() // what is left to do has nothing to read or to say
	return c.wait()
}

// quiet closes input and output, so that their other ends see the container's
// end, not the monitor's.
func quiet() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	for fd := range 3 {
		_ = syscall.Dup2(int(null.Fd()), fd)
	}
}

func (c command) wait() int {
	args := c.args("wait", c.operand(0))
	out, err := exec.Command(args[0], args[1:]...).Output()
	var result struct {
		ExitStatus int `json:"exitStatus"`
	}
	if err != nil || json.Unmarshal(out, &result) != nil {
		return killed
	}
	return result.ExitStatus
}

// kill signals the container, or its monitor before it was started.
func (c command) kill() error {
	place := c.place()
	if _, err := os.Stat(place); err == nil {
		if _, err := os.Stat(filepath.Join(place, "started")); err != nil {
			return c.killMonitor()
		}
	}
	return c.become()
}

// delete takes the container away, and its monitor when it was never started.
func (c command) delete() error {
	if _, err := os.Stat(c.place()); err != nil {
		return c.become()
	}
	err := c.do(c.verb, c.rest...)
	if killErr := c.killMonitor(); err == nil {
		err = killErr
	}
	if err == nil {
		err = os.RemoveAll(c.place())
	}
	return err
}

func (c command) killMonitor() error {
	data, err := os.ReadFile(filepath.Join(c.place(), "pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	if !isMonitor(pid) {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// isMonitor guards against a process that got the id of a monitor that ended.
func isMonitor(pid int) bool {
	self, errSelf := os.Readlink("/proc/self/exe")
	its, errIts := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return errSelf == nil && errIts == nil && self == its
}
