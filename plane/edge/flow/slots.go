package flow

import (
	"hash/fnv"
	"net/netip"
	"slices"
)

// How many slots senders are spread over: prime, and many times the targets, so that
// each gets its share.
const (
	fewSlots  = 1021
	manySlots = 16381
	// manyTargets need many slots.
	manyTargets = 50
)

// share is a target and its weight.
type share struct {
	at     netip.AddrPort
	weight float64 // above 0
}

// spread fills slots with targets by weight. A change of targets changes little of
// where the others' slots lead: each target has an order of its own in which it takes
// slots, as Maglev does it.
// https://research.google/pubs/maglev-a-fast-and-reliable-software-network-load-balancer/
func spread(shares []share) []netip.AddrPort {
	if len(shares) == 0 {
		return nil
	}
	slots := make([]netip.AddrPort, fewSlots)
	if len(shares) > manyTargets {
		slots = make([]netip.AddrPort, manySlots)
	}
	takers := takersOf(shares, len(slots))
	for left := len(slots); ; {
		for n := range takers {
			t := &takers[n]
			for t.credit += t.gain; t.credit >= 1; t.credit-- {
				slots[t.next(slots)] = t.at
				if left--; left == 0 {
					return slots
				}
			}
		}
	}
}

// taker is a target that takes slots.
type taker struct {
	share
	place, skip, size int
	gain, credit      float64
}

func takersOf(shares []share, size int) []taker {
	heaviest := slices.MaxFunc(shares, func(a, b share) int {
		switch {
		case a.weight < b.weight:
			return -1
		case a.weight > b.weight:
			return 1
		}
		return 0
	}).weight
	takers := make([]taker, len(shares))
	for n, s := range shares {
		h := fnv.New64a()
		h.Write([]byte(s.at.String()))
		sum := h.Sum64()
		takers[n] = taker{share: s, place: int(sum % uint64(size)), skip: int(sum/uint64(size)%uint64(size-1)) + 1, size: size, gain: s.weight / heaviest}
	}
	return takers
}

// next is the first free slot in the taker's order.
func (t *taker) next(slots []netip.AddrPort) int {
	for slots[t.place].IsValid() {
		t.place = (t.place + t.skip) % t.size
	}
	return t.place
}
