package network

import "fmt"

// Counters are what passed an interface, seen from inside the task.
type Counters struct {
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}

// Counters reads a task's interfaces; by container name in bridge mode, under ""
// when all containers share one. They are read at the router's end, since a
// gVisor sandbox keeps its own.
func (n *Network) Counters(arn string) (map[string]Counters, error) {
	n.mu.Lock()
	a := n.tasks[arn]
	n.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("task %s has no network here", arn)
	}
	all := map[string]Counters{}
	for i := range a.Wires {
		l, err := a.router.links.LinkByName(a.Wires[i].Link)
		if err != nil {
			return nil, fmt.Errorf("read the counters of %s: %w", a.Wires[i].Link, err)
		}
		if s := l.Attrs().Statistics; s != nil {
			all[a.Wires[i].Container] = Counters{
				RxBytes: s.TxBytes, RxPackets: s.TxPackets, RxErrors: s.TxErrors, RxDropped: s.TxDropped,
				TxBytes: s.RxBytes, TxPackets: s.RxPackets, TxErrors: s.RxErrors, TxDropped: s.RxDropped,
			}
		}
	}
	return all, nil
}
