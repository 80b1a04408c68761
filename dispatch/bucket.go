package dispatch

import (
	"sync"
	"time"
)

// Handshakes that are taken at once, and in each second after: enough for 5,000
// agents within half a minute, few enough that those connected are served
// meanwhile. An agent that is refused comes again after a pause that grows.
const (
	handshakeBurst = 500
	handshakeRate  = 250
)

// bucket paces the agents that come all at once after a restart. The zero bucket
// is full.
type bucket struct {
	mu    sync.Mutex
	spent float64
	at    time.Time
}

// take reports whether one more may come in.
func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if since := now.Sub(b.at); since > 0 {
		b.spent = max(0, b.spent-since.Seconds()*handshakeRate)
		b.at = now
	}
	if b.spent+1 > handshakeBurst {
		return false
	}
	b.spent++
	return true
}
