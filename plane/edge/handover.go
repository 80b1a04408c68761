package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	socketName = "edge.sock"
	// socketsAtOnce is how many go in one message; the kernel takes 253.
	socketsAtOnce = 200
	// handoverPatience bounds each step between two edges.
	handoverPatience = 20 * time.Second
)

// part is a message from an edge to the next, with as many sockets.
type part struct {
	Doors []door
	Last  bool
}

// through is a path to the socket that is short whatever the folder's: the kernel
// takes 107 bytes.
func (e *Edge) through(use func(path string) error) error {
	dir, err := os.Open(e.Data)
	if err != nil {
		return err
	}
	defer dir.Close()
	return use(Socket(dir))
}

// Socket is where an edge answers, by an open data folder. Who connects and says
// nothing changes nothing.
func Socket(dir *os.File) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), socketName) }

// predecessor is the edge before, which still serves until it is released.
type predecessor struct{ conn *net.UnixConn }

// release has it stop accepting: we do now.
func (p *predecessor) release() {
	if p != nil {
		_, _ = p.conn.Write([]byte("ready")) // one that died needs not be told
		p.conn.Close()
	}
}

// inherit gets the sockets of the edge before; nil when there is none.
func (e *Edge) inherit() (p *predecessor, err error) {
	err = e.through(func(path string) error {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := e.receive(conn); err != nil {
			conn.Close()
			return err
		}
		p = &predecessor{conn}
		return nil
	})
	return p, err
}

func (e *Edge) receive(conn *net.UnixConn) error {
	body, rights := make([]byte, 1<<16), make([]byte, unix.CmsgSpace(4*socketsAtOnce))
	for {
		if err := conn.SetReadDeadline(time.Now().Add(handoverPatience)); err != nil {
			return err
		}
		n, r, _, _, err := conn.ReadMsgUnix(body, rights)
		if err != nil {
			return err
		}
		files, err := filesOf(rights[:r])
		if err != nil {
			return err
		}
		var m part
		if err := json.Unmarshal(body[:n], &m); err != nil || len(m.Doors) != len(files) {
			return fmt.Errorf("%d sockets for %d doors: %w", len(files), len(m.Doors), err)
		}
		for n, at := range m.Doors {
			e.doors.inherited[at] = files[n]
		}
		if m.Last {
			return nil
		}
	}
}

func filesOf(rights []byte) (files []*os.File, err error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "door"))
		}
	}
	return files, nil
}

// heir waits for the edge after us.
type heir struct {
	listener *net.UnixListener
	asked    chan *net.UnixConn
	ready    chan struct{} // closed when it serves
	over     func()        // closes ready
}

// offer begins to wait.
func (e *Edge) offer(ctx context.Context) (*heir, error) {
	h := &heir{asked: make(chan *net.UnixConn), ready: make(chan struct{})}
	h.over = sync.OnceFunc(func() { close(h.ready) })
	if err := os.Remove(filepath.Join(e.Data, socketName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	err := e.through(func(path string) (err error) {
		h.listener, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
		return err
	})
	if err != nil {
		return nil, err
	}
	h.listener.SetUnlinkOnClose(false) // by then it may be our heir's
	go func() {
		for {
			c, err := h.listener.AcceptUnix()
			if err != nil {
				return
			}
			select {
			case h.asked <- c:
			case <-ctx.Done():
				c.Close()
			}
		}
	}()
	return h, os.Chmod(filepath.Join(e.Data, socketName), 0o600)
}

// give sends copies of our sockets and waits in the background for the word that the
// other one serves. One that goes away before changes nothing.
func (h *heir) give(c *net.UnixConn, d *Doors) {
	names, fds := d.copies()
	go func() {
		defer c.Close()
		err := send(c, names, fds)
		for _, fd := range fds {
			unix.Close(fd)
		}
		if err != nil {
			return
		}
		word := make([]byte, 16)
		if c.SetReadDeadline(time.Now().Add(handoverPatience)) != nil {
			return
		}
		if n, err := c.Read(word); err == nil && string(word[:n]) == "ready" {
			h.over()
		}
	}()
}

func send(c *net.UnixConn, names []door, fds []int) error {
	for {
		n := min(len(names), socketsAtOnce)
		body, err := json.Marshal(part{Doors: names[:n], Last: n == len(names)})
		if err != nil {
			return err
		}
		var rights []byte
		if n > 0 {
			rights = unix.UnixRights(fds[:n]...)
		}
		if _, _, err := c.WriteMsgUnix(body, rights, nil); err != nil {
			return err
		}
		if names, fds = names[n:], fds[n:]; len(names) == 0 {
			return nil
		}
	}
}

func (h *heir) close() { h.listener.Close() }
