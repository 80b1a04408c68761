package web

import (
	"errors"
	"time"
)

// errSlow says that the client did not go on with its body in time.
var errSlow = errors.New("the client sent nothing for too long")

// listen gives the client as long as it may idle for its next bytes. A body that has
// ended leaves no deadline: the answer may take longer.
func (x *exchange) listen() { _ = x.control.SetReadDeadline(time.Now().Add(x.idleTimeout())) }

func (x *exchange) listened() { _ = x.control.SetReadDeadline(time.Time{}) }

// deaf reads no more of the client: who waits for its body waits no longer, and the
// connection ends after the answer.
func (x *exchange) deaf() { _ = x.control.SetReadDeadline(time.Unix(1, 0)) }

// speak gives the client as long as it may idle to take what is written next.
func (x *exchange) speak() { _ = x.control.SetWriteDeadline(time.Now().Add(x.idleTimeout())) }

// clients tells whether an error of sending a body is the client's.
func clients(err error) bool { return errors.Is(err, errClient) || errors.Is(err, errSlow) }

// ofClient tells who is to blame when a body could not be read.
func ofClient(err error) error {
	if isTimeout(err) {
		return errSlow
	}
	return errClient
}
