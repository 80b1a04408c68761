package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// ledgers: what an instance's tasks hold is what its ledger says, and not more
// than there is.
func (l *laws) ledgers(v *store.View) error {
	sums := map[string]*cluster.Usage{}
	for t := range store.Tasks.All(v) {
		if t.Assignment == nil || t.Assignment.Released {
			continue
		}
		u := sums[t.Assignment.InstanceARN]
		if u == nil {
			u = &cluster.Usage{}
			sums[t.Assignment.InstanceARN] = u
		}
		h := &t.Assignment.Held
		u.CPU, u.Memory, u.Tasks = u.CPU+h.CPU, u.Memory+h.Memory, u.Tasks+1
		u.PortsTCP, u.GPUs = append(u.PortsTCP, h.PortsTCP...), append(u.GPUs, h.GPUs...)
	}
	for i := range store.Instances.All(v) {
		sum := sums[i.ARN]
		if sum == nil {
			sum = &cluster.Usage{}
		}
		if !sameUsage(sum, &i.Used) {
			return fmt.Errorf("the ledger of %s says %+v, its tasks hold %+v", l.w.rename(i.ARN), i.Used, *sum)
		}
		if r := &i.Registered; sum.CPU > r.CPU || sum.Memory > r.Memory || !distinct(slices.Concat(r.PortsTCP, sum.PortsTCP)) || !distinct(sum.GPUs) || !within(sum.GPUs, r.GPUs) {
			return fmt.Errorf("%s is over-committed: %+v of %+v", l.w.rename(i.ARN), *sum, *r)
		}
	}
	return nil
}

func sameUsage(a, b *cluster.Usage) bool {
	return a.CPU == b.CPU && a.Memory == b.Memory && a.Tasks == b.Tasks && len(a.PortsTCP) == len(b.PortsTCP) && within(a.PortsTCP, b.PortsTCP) &&
		len(a.GPUs) == len(b.GPUs) && within(a.GPUs, b.GPUs)
}

func within[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(x T) bool { return !slices.Contains(whole, x) })
}

func distinct[T comparable](list []T) bool {
	for i := range list {
		if slices.Contains(list[:i], list[i]) {
			return false
		}
	}
	return true
}

// quarantine is how long an address that was given back rests.
const quarantine = 2 * time.Minute

// addresses: no two leases of one address, and a rest between them.
func (l *laws) addresses(v *store.View) error {
	now := map[string]*network.Interface{}
	for i := range store.Interfaces.All(v) {
		key := store.AddressKey(i.Scope, i.VPCID, i.PrivateIP)
		if other, taken := now[key]; taken {
			return fmt.Errorf("%s is leased to %s and %s", i.PrivateIP, l.w.rename(other.TaskARN), l.w.rename(i.TaskARN))
		}
		now[key] = i
		if last := l.leases[key]; last != nil && last.ID != i.ID && !l.rested(last, i) {
			return fmt.Errorf("%s was leased to %s at %v, though %s had it until %v",
				i.PrivateIP, l.w.rename(i.TaskARN), i.CreatedAt, l.w.rename(last.TaskARN), last.ReleasedAt)
		}
		l.leases[key] = i
	}
	return nil
}

// rested allows that a server that starts again has another clock.
func (l *laws) rested(before, after *network.Interface) bool {
	return !before.ReleasedAt.IsZero() && after.CreatedAt.Sub(before.ReleasedAt) >= quarantine-l.w.skew
}

// hosts: no task is on two hosts, no host has more than it can hold, and no
// address is used twice, or by whom it was taken from.
func (l *laws) hosts() error {
	where, users := map[string]string{}, map[string]string{}
	for _, a := range l.w.agents {
		alive := a.aliveTasks()
		for _, t := range alive {
			key := t.order.ARN
			if other, twice := where[key]; twice {
				return fmt.Errorf("%s is on %s and on %s", l.w.rename(key), other, a.name)
			}
			where[key] = a.name
			if t.order.Interface == nil {
				continue
			}
			address := t.order.Interface.PrivateIP
			if other, twice := users[address]; twice {
				return fmt.Errorf("%s and %s use %s", l.w.rename(other), l.w.rename(key), address)
			}
			users[address] = key
			if !l.leased(key) {
				return fmt.Errorf("%s uses %s, which was given back", l.w.rename(key), address)
			}
		}
		if err := l.burden(a, alive); err != nil {
			return err
		}
	}
	return nil
}

// burden: the tasks on a host use no more than it has.
func (l *laws) burden(a *agent, alive []*truth) error {
	cpu, memory := 0, 0
	var ports []int
	var gpus []string
	for _, t := range alive {
		k := l.w.user.kind(t.order.Family)
		memory += k.memory
		if cpu += k.cpu; k.fargate {
			cpu -= k.cpu - (k.cpu+a.machine.fargate-1)/a.machine.fargate
		}
		if k.port > 0 {
			ports = append(ports, k.port)
		}
		if len(t.order.GPUs) != k.gpus {
			return fmt.Errorf("%s has GPUs %v, wants %d", l.w.rename(t.order.ARN), t.order.GPUs, k.gpus)
		}
		gpus = append(gpus, t.order.GPUs...)
	}
	if cpu > a.machine.cpu || memory > a.machine.memory || len(gpus) > a.machine.gpus || !distinct(ports) || !distinct(gpus) {
		return fmt.Errorf("%s has %+v, its tasks use CPU %d, memory %d, ports %v, GPUs %v", a.name, a.machine, cpu, memory, ports, gpus)
	}
	return nil
}

// leased tells whether a task's interface is still its own.
func (l *laws) leased(task string) bool {
	if !l.w.server.up {
		return true
	}
	for i := range store.Interfaces.By(l.w.server.leader.View(), store.InterfacesByTask, task) {
		return i.ReleasedAt.IsZero()
	}
	return false
}
