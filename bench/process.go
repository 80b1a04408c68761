package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// process is a program that we started.
type process struct {
	name string
	pid  int
	log  string // file of its output
	done chan error
	stop func()
}

// start starts a program that ends with us; its output goes to a file in dir.
func start(name, dir string, environment []string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is ours to pass on
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: name, pid: cmd.Process.Pid, log: log.Name(), done: make(chan error, 1)}
	p.stop = func() { _ = cmd.Process.Signal(syscall.SIGTERM) }
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

// close asks the program to end, and waits until it has.
func (p *process) close() error {
	p.stop()
	select {
	case <-p.done:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s does not end; it is killed", p.name), syscall.Kill(p.pid, syscall.SIGKILL))
	}
}

// until asks a program again and again whether it is ready.
func (p *process) until(ctx context.Context, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case end := <-p.done:
			p.done <- end
			return fmt.Errorf("%s has ended (%w): %s", p.name, end, tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		}
	}
}

func tail(file string) string {
	text, _ := os.ReadFile(file)
	return string(text[max(0, len(text)-500):])
}

// cpu is the processor time that a process has used.
func cpu(pid int) (time.Duration, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	s, err := p.Stat()
	return time.Duration(s.CPUTime() * float64(time.Second)), err
}

// resident is the memory of a process in MiB, and how much of it no file backs.
func resident(pid int) (all, anonymous float64, err error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, 0, err
	}
	s, err := p.NewStatus()
	return float64(s.VmRSS) / (1 << 20), float64(s.RssAnon) / (1 << 20), err
}

// freeAddress is an address on loopback that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
