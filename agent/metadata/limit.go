package metadata

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/berthhq/berth/agent/network"
)

// Rates are those of the ECS agent (ECS_TASK_METADATA_RPS_LIMIT).
const (
	perSecond = 40
	burst     = 60
	// maxBuckets is when buckets nobody used lately are dropped.
	maxBuckets = 1024
)

// limits keep one task from taking all of the agent's time.
type limits struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[network.Peer]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, buckets: map[network.Peer]*rate.Limiter{}}
}

func (l *limits) allow(p network.Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[p]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.dropFull()
		}
		b = rate.NewLimiter(perSecond, burst)
		l.buckets[p] = b
	}
	return b.AllowN(l.now(), 1)
}

// dropFull drops the buckets that a new one would equal.
func (l *limits) dropFull() {
	for p, b := range l.buckets {
		if b.TokensAt(l.now()) >= burst {
			delete(l.buckets, p)
		}
	}
}

func (s *Server) limited(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.limits.allow(caller(r)) {
			http.Error(w, "You have reached maximum request limit.", http.StatusTooManyRequests)
			return
		}
		h.ServeHTTP(w, r)
	})
}
