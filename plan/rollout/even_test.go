package rollout

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func zonesOf(tasks ...int) []zone {
	var out []zone
	for i, n := range tasks {
		out = append(out, zone{name: string(rune('a' + i)), tasks: n, movable: n})
	}
	return out
}

func TestEven(t *testing.T) {
	protected := zonesOf(5, 2, 1)
	protected[0].movable = 0
	for _, c := range []struct {
		name  string
		zones []zone
		full  string // zones without room
		want  string
	}{
		{name: "no zone"},
		{name: "one zone", zones: zonesOf(7)},
		{name: "even", zones: zonesOf(2, 2, 2)},
		{name: "one more is even", zones: zonesOf(3, 2, 2)},
		{name: "two more are not", zones: zonesOf(3, 1), want: "b"},
		{name: "the emptiest", zones: zonesOf(4, 1, 0), want: "c"},
		{name: "the emptiest with room", zones: zonesOf(4, 1, 0), full: "c", want: "b"},
		{name: "no room where it would help", zones: zonesOf(3, 2, 1), full: "c"},
		{name: "what cannot be moved", zones: protected},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := func(z string) bool { return c.full != z }
			if got := even(c.zones, room); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFullest(t *testing.T) {
	protected := zonesOf(5, 3, 1)
	protected[0].movable = 0
	for _, c := range []struct {
		name    string
		zones   []zone
		started string
		want    string
	}{
		{"the fullest", zonesOf(3, 4, 2), "c", "b"},
		{"not the one that was started in", zonesOf(2, 3), "b", ""},
		{"nothing is gained any more", zonesOf(2, 2), "b", ""},
		{"of what can be moved", protected, "c", "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fullest(c.zones, c.started); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Moves come to an end, whatever there is room for, and leave nothing to gain.
func TestEvenEnds(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		zones, full := zonesOf(), ""
		for i := range 1 + r.IntN(5) {
			n := r.IntN(9)
			zones = append(zones, zone{name: string(rune('a' + i)), tasks: n, movable: r.IntN(n + 1)})
		}
		if r.IntN(2) == 0 {
			full = zones[r.IntN(len(zones))].name
		}
		room := func(z string) bool { return z != full }
		at := func(name string) *zone {
			return &zones[slices.IndexFunc(zones, func(z zone) bool { return z.name == name })]
		}
		moves := 0
		for to := even(zones, room); to != ""; to = even(zones, room) {
			at(to).tasks++
			at(to).movable++
			from := fullest(zones, to)
			if from == "" || at(from).tasks-at(to).tasks < 0 {
				t.Fatalf("seed %d: started in %s for nothing: %v", seed, to, zones)
			}
			at(from).tasks--
			at(from).movable--
			if moves++; moves > 50 {
				t.Fatalf("seed %d: no end: %v", seed, zones)
			}
		}
		for _, a := range zones {
			for _, b := range zones {
				if a.movable > 0 && a.tasks-b.tasks > 1 && b.name != full {
					t.Fatalf("seed %d: left %v", seed, zones)
				}
			}
		}
	}
}
