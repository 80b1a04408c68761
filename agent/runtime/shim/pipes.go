package shim

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// pipes keeps the named pipes that containers print into open until the containers
// are deleted: what a program printed last would otherwise be gone with it if neither
// the logger nor the agent lived just then.
type pipes struct {
	mu   sync.Mutex
	byID map[string][]*os.File
}

func (p *pipes) hold(id string, outputs ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range outputs {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Type() != os.ModeNamedPipe {
			continue // a file, or one that the task service will complain about
		}
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("hold the output of %s: %w", id, err)
		}
		p.byID[id] = append(p.byID[id], f)
	}
	return nil
}

func (p *pipes) release(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.byID[id] {
		_ = f.Close() // nothing was written through it
	}
	delete(p.byID, id)
}
