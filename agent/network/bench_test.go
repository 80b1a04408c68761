package network_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	vpc "github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
)

// BenchmarkSetup is a task's way to a network and back, with 50 others there and
// none pausing between. The budget is 5 ms for set-up; teardown is what its
// caller waits for.
func BenchmarkSetup(b *testing.B) {
	ctx := context.Background()
	for name, order := range map[string]func(i int) *task.Order{
		"awsvpc": func(i int) *task.Order {
			return inVPC("vpc-default", "172.31.0.0/16", fmt.Sprintf("172.31.%d.%d", 1+i/200%250, 4+i%200))
		},
		"bridge": func(int) *task.Order { return inBridge(container("app", dynamic(80, "tcp"))) },
	} {
		b.Run(name, func(b *testing.B) {
			m := newMachine(b)
			n := open(b, m.config())
			for i := range 50 {
				setup(b, n, order(i))
			}
			var up, down []time.Duration
			for i := 50; b.Loop(); i++ {
				o := order(i)
				start := time.Now()
				setup(b, n, o)
				done := time.Now()
				check(b, n.Teardown(ctx, o.ARN))
				up, down = append(up, done.Sub(start)), append(down, time.Since(done))
			}
			report(b, "setup", up)
			report(b, "teardown", down)
		})
	}
}

// BenchmarkApply is a change of a rule for 50 tasks that have it, on a host that knows
// a thousand members of the group it names and as many addresses of other hosts.
func BenchmarkApply(b *testing.B) {
	m := newMachine(b)
	cfg := m.config()
	cfg.Underlay = netip.MustParseAddr(machineAddress)
	n := open(b, cfg)
	s := stateOf("vpc-a", group(among("sg-1")))
	for i := range 50 {
		o := inVPC("vpc-a", cidr, fmt.Sprintf("10.0.1.%d", 4+i))
		setup(b, n, o)
		s.Ends = append(s.Ends, endOf(o, "sg-1"))
	}
	peer := vpc.PeerHost{Underlay: netip.MustParseAddr(worldAddress)}
	for i := range 1000 {
		peer.Addresses = append(peer.Addresses, netip.AddrFrom4([4]byte{10, 0, byte(100 + i/250), byte(1 + i%250)}))
	}
	s.Peers, s.Members = []vpc.PeerHost{peer}, map[string][]netip.Addr{"sg-1": peer.Addresses}
	apply(b, n, s)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		s.Groups = group(among("sg-1"), tcp(1+i%60000, "0.0.0.0/0"))
		start := time.Now()
		apply(b, n, s)
		took = append(took, time.Since(start))
	}
	report(b, "apply", took)
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1000, fmt.Sprintf("ms-%s-p%d", what, p))
	}
}
