package balancer

import (
	"cmp"
	"fmt"
	"time"
)

// ClassicEntry is a line of a Classic balancer's access log: a request, or a connection
// where the listener carries those.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html#access-log-entry-format
type ClassicEntry struct {
	At              time.Time // when it came
	Name            string    // of the balancer
	Client, Backend string    // address and port; an empty Backend for none
	// Dispatched is false when no instance was asked: then Times say nothing.
	Dispatched bool
	// Times are until an instance was asked, until it began to answer, and until the
	// client had the answer.
	Times                 [3]time.Duration
	Status, BackendStatus string // "-" of connections
	Received, Sent        int64  // bytes from the client, and to it
	Request, Agent        string // without quotes in them
	Cipher, Version       string // of TLS; "-" for none
}

// String is the line, without its end.
func (e *ClassicEntry) String() string {
	times := ""
	for _, t := range e.Times {
		if e.Dispatched {
			times += fmt.Sprintf(" %.6f", t.Seconds())
		} else {
			times += " -1"
		}
	}
	return fmt.Sprintf(`%s %s %s %s%s %s %s %d %d "%s" "%s" %s %s`, e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), e.Name, e.Client, cmp.Or(e.Backend, "-"),
		times, e.Status, e.BackendStatus, e.Received, e.Sent, e.Request, e.Agent, e.Cipher, e.Version)
}
