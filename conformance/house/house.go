// Package house starts and ends a `berth up` of its own for tests from outside.
package house

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// House is one `berth up`.
type House struct {
	Program, Data string
	Listen        string
	Vars          map[string]string // what `berth env` says

	loud  bool
	up    *exec.Cmd
	ended chan error
}

// New starts berth on a port and data folder of its own. What it complains about is
// shown where the environment variable of the name is set.
func New(data, loud string, flags ...string) (*House, error) {
	program, err := filepath.Abs("../../bin/berth")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	h := &House{Program: program, Data: data, loud: os.Getenv(loud) != ""}
	if h.Listen, err = FreeAddress(); err != nil {
		return nil, err
	}
	return h, h.Start(flags...)
}

// Ports below those that the kernel gives to outgoing connections, which would take a
// free one before it is used.
const (
	firstPort = 16384
	lastPort  = 32767
)

// FreeAddress is one on loopback that nobody listens on at the moment.
func FreeAddress() (address string, err error) {
	for range 100 {
		var l net.Listener
		address = fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort+1))
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}

// Start starts the same berth again.
func (h *House) Start(flags ...string) error {
	h.up = exec.Command(h.Program, append([]string{"up", "--data", h.Data, "--listen", h.Listen}, flags...)...)
	if h.loud {
		h.up.Stderr = os.Stderr
	}
	out, err := h.up.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.up.Start(); err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	h.ended = ended
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "berth is ready" {
				close(ready)
			}
		}
		ended <- h.up.Wait()
	}()
	select {
	case <-ready:
		return h.readVars()
	case err := <-ended:
		return fmt.Errorf("berth up ended: %w; its roles wrote to %s/run", err, h.Data)
	}
}

func (h *House) readVars() error {
	text, err := exec.Command(h.Program, "env", "--data", h.Data).Output()
	if err != nil {
		return err
	}
	h.Vars = map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		h.Vars[name] = strings.Trim(value, "'")
	}
	return nil
}

// Stop ends berth as an operator does, and waits for its end.
func (h *House) Stop() error {
	if err := h.up.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-h.ended
}

// End stops berth and deletes all that it kept, and tells what is left all the same.
func (h *House) End() error { return errors.Join(h.Stop(), h.forget(), h.gone()) }

func (h *House) forget() error {
	out, err := exec.Command(h.Program, "down", "--data", h.Data, "--forget").CombinedOutput()
	if err != nil {
		return fmt.Errorf("berth down: %w: %s", err, out)
	}
	return nil
}

// gone waits until no process is left of this berth: the one that records logs
// ends by itself.
func (h *House) gone() error {
	tick, end := time.NewTicker(50*time.Millisecond), time.After(15*time.Second)
	defer tick.Stop()
	for {
		left, err := h.processes()
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("berth ended and left %q", left)
		}
	}
}

// processes are the command lines that name the data folder.
func (h *House) processes() (lines []string, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file) // an error: it ended meanwhile
		if text := strings.ReplaceAll(string(line), "\x00", " "); err == nil && strings.Contains(text, h.Data) {
			lines = append(lines, text)
		}
	}
	return lines, err
}

// Command is `berth WORDS...` for this berth.
func (h *House) Command(ctx context.Context, words ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, h.Program, words...)
	c.Env = append(os.Environ(), "BERTH_DATA="+h.Data)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return c
}

// Load puts an archive of images in the registry.
func (h *House) Load(archive string) error {
	if out, err := h.Command(context.Background(), "image", "load", archive).CombinedOutput(); err != nil {
		return fmt.Errorf("berth image load: %w: %s", err, out)
	}
	return nil
}

// Environ is a program's environment with the variables that lead it to berth.
func (h *House) Environ() []string {
	all := append(os.Environ(), "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	for name, value := range h.Vars {
		all = append(all, name+"="+value)
	}
	return all
}
