package web

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// errSlow says that the client did not go on with its body in time.
var errSlow = errors.New("the client sent nothing for too long")

// clients tells whether an error of sending a body is the client's.
func clients(err error) bool {
	return errors.Is(err, errClient) || errors.Is(err, errSlow) || errors.As(err, new(*wire.Fault))
}

// ofClient tells who is to blame when a body could not be read.
func ofClient(err error) error {
	switch {
	case errors.As(err, new(*wire.Fault)):
		return err
	case isTimeout(err):
		return errSlow
	}
	return errClient
}

// ofClientWriting marks an error of writing to the client.
func ofClientWriting(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errClient, err)
}

// start is what times of deadlines are counted from: the clock of the day may be set.
var start = time.Now() // never changed

// deadline is until when something may take. It is moved only now and then, which costs
// less: so it gives some more time than is asked for. Its methods are for many goroutines.
type deadline struct{ until atomic.Int64 } // since start

// allow has set give d from now, and up to a sixteenth more.
func (dl *deadline) allow(now time.Time, d time.Duration, set func(time.Time) error) error {
	return dl.between(now, d, d+d/16, set)
}

// between has set give most from now, unless there is at least the least still.
func (dl *deadline) between(now time.Time, least, most time.Duration, set func(time.Time) error) error {
	at := now.Sub(start)
	if left := time.Duration(dl.until.Load()) - at; least <= left && left <= most {
		return nil
	}
	dl.until.Store(int64(at + most))
	return set(now.Add(most))
}

// forget says that another one was set.
func (dl *deadline) forget() { dl.until.Store(0) }

// past is a deadline that ends what waits.
var past = time.Unix(1, 0) // never changed
