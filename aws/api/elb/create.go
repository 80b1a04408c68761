package elb

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/store"
)

// maxBalancers is AWS's quota in a region.
const maxBalancers = 20

func (a *API) createLoadBalancer(ctx context.Context, call *gateway.Call, in *shape.CreateAccessPointInput) (*shape.CreateAccessPointOutput, error) {
	b, err := a.read(call, in)
	if err != nil {
		return nil, err
	}
	made := true
	_, err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if have, ok := store.Balancers.Get(tx, b.ARN); ok {
			if !same(tx, have, in) {
				return fault.New(fault.DuplicateLoadBalancerName, "Load balancer named '%s' already exists and it is configured with different parameters", b.Name)
			}
			b, made = have, false
			return nil
		}
		return a.putNew(tx, call, b, in)
	})
	if err != nil {
		return nil, err
	}
	if made {
		a.Log.Warn("a Classic load balancer was made; AWS recommends Application and Network ones in its place", "loadBalancer", b.ARN)
	}
	return &shape.CreateAccessPointOutput{DNSName: &b.DNSName}, nil
}

// read checks what needs no other record.
func (a *API) read(call *gateway.Call, in *shape.CreateAccessPointInput) (*balancer.Balancer, error) {
	b := &balancer.Balancer{
		Scope: call.Scope, Name: *in.LoadBalancerName, Kind: balancer.Classic, Scheme: balancer.InternetFacing, AddressType: "ipv4",
		ARN: balancer.ClassicARN(call.Scope, *in.LoadBalancerName), CreatedAt: call.Now, Version: 1,
		HostedZoneID: balancer.HostedZoneID(balancer.Classic, call.Scope.Region), Classic: &balancer.ClassicSpec{},
	}
	if err := balancer.CheckName("Load balancer", b.Name); err != nil {
		return nil, err
	}
	if said := member.Value(in.Scheme); said != "" {
		if b.Scheme = said; said != balancer.Internal && said != balancer.InternetFacing {
			return nil, fault.New(fault.InvalidScheme, "The scheme '%s' is not valid", said).WithHint("name internal, or none")
		}
	}
	if len(in.Listeners) == 0 {
		return nil, invalid("Listeners must not be empty")
	}
	b.DNSName = balancer.DNSNameOf(b, a.NewID())
	var err error
	b.Tags, err = readTags(nil, in.Tags)
	return b, err
}

// putNew finishes a balancer and stores it with its nodes and listeners.
func (a *API) putNew(tx *store.Tx, call *gateway.Call, b *balancer.Balancer, in *shape.CreateAccessPointInput) error {
	count := 0
	for have := range store.Balancers.Prefix(tx, balancer.ClassicARN(call.Scope, "")) {
		if have.Kind == balancer.Classic {
			count++
		}
	}
	if count >= maxBalancers {
		return fault.New(fault.TooManyLoadBalancers, "Load balancer count of %d exceeds the limit", count+1)
	}
	subnets, err := readSubnets(tx, call.Scope, in.Subnets, in.AvailabilityZones)
	if err != nil {
		return err
	}
	b.VPCID = subnets[0].VPCID
	if b.SecurityGroups, err = readGroups(tx, b, in.SecurityGroups); err != nil {
		return err
	}
	b.Classic.HealthCheck = balancer.ClassicHealth(int(*in.Listeners[0].InstancePort))
	if err := a.Nodes.Settle(tx, b, subnets, call.Now); err != nil {
		return err
	}
	if err := a.Nodes.Lock(tx, b, call.Now); err != nil {
		return err
	}
	if err := addListeners(tx, b, in.Listeners, call.Now); err != nil {
		return err
	}
	store.Balancers.Put(tx, b)
	return store.EnsureLinkedRole(tx, call.Scope, linked.LoadBalancing, call.Now)
}

// same tells whether a repeated call asks for what is there.
func same(r store.Reader, have *balancer.Balancer, in *shape.CreateAccessPointInput) bool {
	if len(in.Listeners) != len(listenersOf(r, have)) {
		return false
	}
	for n := range in.Listeners {
		if !hasListener(r, have, &in.Listeners[n]) {
			return false
		}
	}
	return sameSet(in.Subnets, subnetsOf(have)) && sameSet(in.AvailabilityZones, zonesOf(have)) && sameSet(in.SecurityGroups, have.SecurityGroups) &&
		(in.Scheme == nil || *in.Scheme == have.Scheme)
}

// sameSet compares names; what was not said is no difference.
func sameSet(said, have []string) bool {
	if len(said) == 0 {
		return true
	}
	in := map[string]bool{}
	for _, name := range have {
		in[name] = true
	}
	for _, name := range said {
		if !in[name] {
			return false
		}
	}
	return len(said) == len(have)
}

func (a *API) deleteLoadBalancer(ctx context.Context, call *gateway.Call, in *shape.DeleteAccessPointInput) (*shape.DeleteAccessPointOutput, error) {
	_, err := a.Store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call.Scope, *in.LoadBalancerName)
		if err != nil {
			return nil // as on AWS, what is not there is deleted
		}
		b := *have
		for _, l := range listenersOf(tx, &b) {
			store.Listeners.Delete(tx, l.ARN)
		}
		for _, g := range groupsOf(tx, &b) {
			dropGroup(tx, g)
		}
		if err := a.Nodes.Settle(tx, &b, nil, call.Now); err != nil {
			return err
		}
		store.Balancers.Delete(tx, b.ARN)
		return nil
	})
	return &shape.DeleteAccessPointOutput{}, err
}
