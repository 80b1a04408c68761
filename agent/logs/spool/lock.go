package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	lockName  = "lock"
	agentName = "agent"
)

// ErrHeld is what the lock functions answer when another process has the lock.
var ErrHeld = errors.New("another process holds it")

// LockLogger makes this process the spool's logger until the result is closed or
// the process ends.
func (r Root) LockLogger() (io.Closer, error) { return r.lock(lockName) }

// LockAgent makes this process the spool's agent.
func (r Root) LockAgent() (io.Closer, error) { return r.lock(agentName) }

// LoggerAlive tells whether some process is the spool's logger.
func (r Root) LoggerAlive() (bool, error) { return r.held(lockName) }

// AgentAlive tells whether some process is the spool's agent.
func (r Root) AgentAlive() (bool, error) { return r.held(agentName) }

// lock takes a record lock, which others can ask about without taking it. It is
// of the process: opening and closing the file elsewhere in it would drop it.
func (r Root) lock(name string) (io.Closer, error) {
	path := filepath.Join(string(r), name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart})
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			err = ErrHeld
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

func (r Root) held(name string) (bool, error) {
	f, err := os.OpenFile(filepath.Join(string(r), name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	ask := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &ask); err != nil {
		return false, err
	}
	return ask.Type != unix.F_UNLCK, nil
}
