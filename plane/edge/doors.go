package edge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

// door names a listening socket: a port of an interface.
type door struct {
	Interface string
	Port      int
}

// Doors are the listening sockets of an edge, which it hands on to the next. A socket
// is open as long as each round of engines asks for it.
type Doors struct {
	log *slog.Logger

	mu        sync.Mutex
	open      map[door]*net.TCPListener
	inherited map[door]*os.File
	asked     map[door]bool // in this round
}

func newDoors(log *slog.Logger) *Doors {
	return &Doors{log: log, open: map[door]*net.TCPListener{}, inherited: map[door]*os.File{}}
}

// Open gives the listening socket of a port of an interface, the same one each time.
// It is the engine's to accept from; Doors close it.
func (d *Doors) Open(s *space.Space, id, address string, port int) (net.Listener, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := door{id, port}
	d.asked[at] = true
	if l := d.open[at]; l != nil {
		return l, nil
	}
	l, err := d.listen(s, at, address)
	if err != nil {
		return nil, err
	}
	d.open[at] = l
	return l, nil
}

func (d *Doors) listen(s *space.Space, at door, address string) (*net.TCPListener, error) {
	if f := d.inherited[at]; f != nil {
		delete(d.inherited, at)
		defer f.Close()
		if l, err := net.FileListener(f); err == nil {
			return l.(*net.TCPListener), nil
		}
	}
	var l net.Listener
	err := s.Do(func() (err error) {
		// Only here: a namespace that a new agent made has a socket of its own.
		lc := net.ListenConfig{Control: reusable}
		l, err = lc.Listen(context.Background(), "tcp4", net.JoinHostPort(address, strconv.Itoa(at.Port)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// reusable lets an edge listen where a killed one did.
func reusable(_, _ string, c syscall.RawConn) error {
	var failure error
	err := c.Control(func(fd uintptr) {
		failure = errors.Join(
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
			unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1),
		)
	})
	return errors.Join(err, failure)
}

// begin and end enclose a round: what nobody asked for in between is closed.
func (d *Doors) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = map[door]bool{}
}

func (d *Doors) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, l := range d.open {
		if !d.asked[at] {
			l.Close()
			delete(d.open, at)
		}
	}
}

// Close closes a door; the next round opens it anew.
func (d *Doors) Close(id string, port int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.open[door{id, port}]; l != nil {
		l.Close()
		delete(d.open, door{id, port})
	}
}

// shut closes the doors of an interface whose namespace is gone.
func (d *Doors) shut(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, l := range d.open {
		if at.Interface == id {
			l.Close()
			delete(d.open, at)
		}
	}
}

func (d *Doors) close() {
	d.begin()
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.inherited {
		f.Close()
	}
	clear(d.inherited)
}

// copies are descriptors of all sockets, to be handed on and closed.
func (d *Doors) copies() (names []door, fds []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, l := range d.open {
		fd, err := duplicate(l)
		if err != nil {
			d.log.Error("a listening socket cannot be handed on", "interface", at.Interface, "port", at.Port, "err", err)
			continue
		}
		names, fds = append(names, at), append(fds, fd)
	}
	return names, fds
}

// duplicate leaves the socket in the mode it is in: (*os.File).Fd does not.
func duplicate(l *net.TCPListener) (fd int, err error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failure error
	err = raw.Control(func(mine uintptr) { fd, failure = unix.FcntlInt(mine, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(err, failure)
}
