package web

import (
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often a client is looked at that waits for its answer: whether it is
// still there. Most have their answer sooner.
const lookEvery = 250 * time.Millisecond

// lookOut has the client looked at while its request lasts. c.mu is held.
func (c *stream1) lookOut() {
	if c.looking {
		return
	}
	c.looking = true
	if c.timer == nil {
		c.timer = time.AfterFunc(lookEvery, c.look)
	} else {
		c.timer.Reset(lookEvery)
	}
}

// lookAway lets the client be, which asks nothing.
func (c *stream1) lookAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer, c.looking = nil, false
	}
}

// look ends the request of a client that has gone away.
func (c *stream1) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looking = c.looking && c.busy && !c.hijacked; !c.looking {
		return
	}
	if !departed(c) {
		c.timer.Reset(lookEvery)
		return
	}
	c.away, c.looking = true, false
	if c.cancel != nil {
		c.cancel()
	}
	if c.watched != nil {
		c.watched.cut()
	}
}

// departed tells whether a client has ended its side of the connection.
func departed(c *stream1) bool {
	t := tcp(c.Conn)
	if t == nil {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return true
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return true
	}
	const established = 1 // TCP_ESTABLISHED
	return info.State != established
}

func (c *stream1) watch(u *upstream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched = u
	if u != nil && c.away {
		u.cut()
	}
}

func (c *stream1) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}
