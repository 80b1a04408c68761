package network

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

// Dynamic host ports: Docker's and so the ECS agent's default range.
const (
	firstDynamic = 32768
	lastDynamic  = 60999
)

// PortTakenError says that a host port is in use by another program.
type PortTakenError struct {
	Port     int
	Protocol string
}

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("host port %d/%s is in use by another program on this host (find it with: ss -lnp 'sport = :%d')", e.Port, e.Protocol, e.Port)
}

// ports takes host ports and holds each with a bound socket that never listens,
// so that no other program, and no other agent, takes it too.
type ports struct {
	space    *space.Space
	reserved []int

	mu   sync.Mutex
	held map[binding]int // socket descriptors
	next int
}

func newPorts(s *space.Space, reserved []int) *ports {
	return &ports{space: s, reserved: append([]int{51678, 51679}, reserved...), held: map[binding]int{}, next: firstDynamic}
}

// take holds one port.
func (p *ports) take(protocol string, port int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.takeLocked(protocol, port)
}

func (p *ports) takeLocked(protocol string, port int) error {
	b := binding{protocolNumber(protocol), port}
	if _, mine := p.held[b]; mine {
		return &PortTakenError{Port: port, Protocol: protocol}
	}
	fd, err := p.bind(b)
	if errors.Is(err, unix.EADDRINUSE) {
		return &PortTakenError{Port: port, Protocol: protocol}
	}
	if err != nil {
		return fmt.Errorf("take host port %d/%s: %w", port, protocol, err)
	}
	p.held[b] = fd
	return nil
}

// takeDynamic holds count consecutive ports of the dynamic range and returns the
// first.
func (p *ports) takeDynamic(protocol string, count int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range lastDynamic - firstDynamic + 1 {
		first := p.next
		p.next++
		if p.next+count-1 > lastDynamic {
			p.next = firstDynamic
		}
		if p.takeRun(protocol, first, count) {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d free host ports in a row between %d and %d", count, firstDynamic, lastDynamic)
}

func (p *ports) takeRun(protocol string, first, count int) bool {
	for port := first; port < first+count; port++ {
		if slices.Contains(p.reserved, port) || p.takeLocked(protocol, port) != nil {
			for taken := first; taken < port; taken++ {
				p.releaseLocked(binding{protocolNumber(protocol), taken})
			}
			return false
		}
	}
	return true
}

func (p *ports) bind(b binding) (fd int, err error) {
	kind := unix.SOCK_STREAM
	if b.protocol == unix.IPPROTO_UDP {
		kind = unix.SOCK_DGRAM
	}
	err = p.space.Do(func() error {
		if fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		if err = unix.Bind(fd, &unix.SockaddrInet4{Port: b.port}); err != nil {
			unix.Close(fd)
		}
		return err
	})
	return fd, err
}

func (p *ports) release(b binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.releaseLocked(b)
}

func (p *ports) releaseLocked(b binding) {
	if fd, ok := p.held[b]; ok {
		unix.Close(fd)
		delete(p.held, b)
	}
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range p.held {
		unix.Close(fd)
	}
	p.held = map[binding]int{}
}
