package connect

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// What ends an endpoint's turn, as Service Connect's proxies have it.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html
const (
	failures    = 5 // in a row
	shortExile  = 30 * time.Second
	longExile   = 300 * time.Second
	exiledShare = 2 // at most one of so many endpoints is in exile
)

// Ring gives out endpoints in turn. Those that failed several times in a row are in
// exile for a while, longer each time. It is safe for concurrent use.
type Ring struct {
	mu   sync.Mutex
	ends []*end
	next int
}

type end struct {
	address  netip.AddrPort
	failed   int // in a row
	exiles   int
	exiledTo time.Time
}

// Set replaces the endpoints; what is known of those that stay is kept. gone tells
// whether some do not.
func (r *Ring) Set(list []netip.AddrPort) (gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ends []*end
	for _, a := range list {
		e := r.find(a)
		if e == nil {
			e = &end{address: a}
		}
		ends = append(ends, e)
	}
	gone = slices.ContainsFunc(r.ends, func(e *end) bool { return !slices.Contains(list, e.address) })
	r.ends = ends
	return gone
}

func (r *Ring) find(a netip.AddrPort) *end {
	i := slices.IndexFunc(r.ends, func(e *end) bool { return e.address == a })
	if i < 0 {
		return nil
	}
	return r.ends[i]
}

// Pick is the endpoint whose turn it is, of those not tried before if there are such;
// ok is false when there is no endpoint at all.
func (r *Ring) Pick(now time.Time, tried []netip.AddrPort) (a netip.AddrPort, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := func(e *end) bool { return !slices.Contains(tried, e.address) }
	for _, suits := range []func(*end) bool{
		func(e *end) bool { return fresh(e) && !e.exiledTo.After(now) }, fresh, func(*end) bool { return true },
	} {
		for range r.ends {
			r.next = (r.next + 1) % len(r.ends)
			if e := r.ends[r.next]; suits(e) {
				return e.address, true
			}
		}
	}
	return netip.AddrPort{}, false
}

// Report tells how a try of an endpoint went.
func (r *Ring) Report(a netip.AddrPort, now time.Time, worked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.find(a)
	switch {
	case e == nil:
	case worked:
		e.failed = 0
	default:
		if e.failed++; e.failed >= failures && r.mayExile(now) {
			e.exiles, e.failed = e.exiles+1, 0
			e.exiledTo = now.Add(min(time.Duration(e.exiles)*shortExile, longExile))
		}
	}
}

func (r *Ring) mayExile(now time.Time) bool {
	away := 0
	for _, e := range r.ends {
		if e.exiledTo.After(now) {
			away++
		}
	}
	return (away+1)*exiledShare <= len(r.ends)
}
