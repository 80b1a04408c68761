package placement

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// StaticAddressTag names, as a tag of a task, the addresses of which it is to have the
// first that is free; AWS has no such thing. A service's tasks have it from the
// service or the definition by propagateTags.
// https://github.com/aws/containers-roadmap/issues/311
const StaticAddressTag = "berth:static-address"

// staticAddresses are those the task asks for; ok is false when it asks for none.
func staticAddresses(t *task.Task) (addresses []netip.Addr, ok bool, err error) {
	for _, tag := range t.Tags {
		if tag.Key != StaticAddressTag {
			continue
		}
		for word := range strings.FieldsFuncSeq(tag.Value, func(r rune) bool { return r == ' ' || r == ',' }) {
			a, err := netip.ParseAddr(word)
			if err != nil || !a.Is4() {
				return nil, true, fault.New(fault.InvalidParameter, "'%s' in the tag %s is not an IPv4 address", word, StaticAddressTag)
			}
			addresses = append(addresses, a)
		}
		return addresses, true, nil
	}
	return nil, false, nil
}

// static is the first of the addresses that a subnet has and nobody holds. One in
// quarantine will do: who asks for it by name knows who had it.
func static(r store.Reader, t *task.Task, subnets []*network.Subnet, addresses []netip.Addr) (*network.Subnet, netip.Addr, error) {
	for _, a := range addresses {
		i := slices.IndexFunc(subnets, func(s *network.Subnet) bool { return s.Leasable(a) })
		if i >= 0 && !held(r, store.AddressKey(t.Scope, subnets[i].VPCID, a)) {
			return subnets[i], a, nil
		}
	}
	return nil, netip.Addr{}, fault.New(fault.Client, "None of the addresses %v is free in the subnets %v.", addresses, t.Spec.NetworkConfiguration.Subnets).
		WithHint("stop the task that has it, or name further addresses in the tag " + StaticAddressTag + ", separated by spaces")
}

func held(r store.Reader, key string) bool {
	for i := range store.Interfaces.By(r, store.InterfacesByAddress, key) {
		if i.ReleasedAt.IsZero() {
			return true
		}
	}
	return false
}
