package elbv2

import (
	"context"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func (a *API) createLoadBalancer(ctx context.Context, call *gateway.Call, in *shape.CreateLoadBalancerInput) (*shape.CreateLoadBalancerOutput, error) {
	b, err := a.readBalancer(call, in)
	if err != nil {
		return nil, err
	}
	view, err := a.store.Update(ctx, func(tx *store.Tx) error {
		places, err := readPlaces(tx, call.Scope, in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		if have, ok := balancerNamed(tx, call.Scope, b.Name); ok {
			if !same(have, b, in.SecurityGroups, places) {
				return fault.New(fault.DuplicateLoadBalancerName, "A load balancer with the same name '%s' exists, but with different settings", b.Name)
			}
			b = have
			return nil
		}
		if err := checkPlaces(tx, b, places); err != nil {
			return err
		}
		return a.putNew(tx, b, in.SecurityGroups, places, call.Now)
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateLoadBalancerOutput{LoadBalancers: []shape.LoadBalancer{showBalancer(view, b)}}, nil
}

// putNew finishes a balancer and stores it with its nodes.
func (a *API) putNew(tx *store.Tx, b *balancer.Balancer, groups []string, places []place, now time.Time) (err error) {
	if countBalancers(tx, b) >= maxBalancers {
		return fault.New(fault.TooManyLoadBalancers, "The maximum number of load balancers has been reached").WithHint("an account has at most %d of each type in a region", maxBalancers)
	}
	b.VPCID = places[0].subnet.VPCID
	if b.SecurityGroups, err = readGroups(tx, b, groups); err != nil {
		return err
	}
	if err := a.settle(tx, b, places, now); err != nil {
		return err
	}
	if b.Kind == balancer.Application {
		if err := a.Lock(tx, b, now); err != nil {
			return err
		}
	}
	store.Balancers.Put(tx, b)
	return store.EnsureLinkedRole(tx, b.Scope, linked.LoadBalancing, now)
}

// readBalancer checks what needs no other record.
func (a *API) readBalancer(call *gateway.Call, in *shape.CreateLoadBalancerInput) (*balancer.Balancer, error) {
	b := &balancer.Balancer{
		Scope: call.Scope, Name: *in.Name, Kind: balancer.Application, Scheme: balancer.InternetFacing, AddressType: "ipv4", CreatedAt: call.Now, Version: 1,
	}
	if in.Type != "" {
		b.Kind = balancer.Kind(in.Type)
	}
	if in.Scheme != "" {
		b.Scheme = string(in.Scheme)
	}
	if err := balancer.CheckName("Load balancer", b.Name); err != nil {
		return nil, err
	}
	if b.Kind == "gateway" {
		return nil, unfit("Load balancers of type 'gateway' are not supported").WithHint("berth has application and network load balancers")
	}
	if err := checkAddressType(in.IpAddressType); err != nil {
		return nil, err
	}
	if in.IpamPools != nil || in.CustomerOwnedIpv4Pool != nil || in.EnablePrefixForIpv6SourceNat == shape.EnablePrefixForIpv6SourceNatEnumOn {
		return nil, unfit("IP address pools and IPv6 source NAT prefixes are not supported")
	}
	var err error
	if b.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	if b.Engine, err = readEngine(b.Tags); err != nil {
		return nil, err
	}
	id := a.newID()
	b.ARN = balancer.ARNOf(call.Scope, b.Kind, b.Name, id)
	b.DNSName, b.HostedZoneID = balancer.DNSNameOf(b, id), balancer.HostedZoneID(b.Kind, call.Scope.Region)
	return b, nil
}

func readEngine(tags []workload.Tag) (string, error) {
	for _, t := range tags {
		switch {
		case t.Key != engineTag || t.Value == "" || t.Value == "berth":
		case t.Value == balancer.EngineHAProxy:
			return t.Value, nil
		default:
			return "", invalid("The engine '%s' is not known", t.Value).WithHint("the tag %s takes berth or %s", engineTag, balancer.EngineHAProxy)
		}
	}
	return balancer.EngineBerth, nil
}

func checkAddressType(t shape.IpAddressType) error {
	if t != "" && t != shape.IpAddressTypeIpv4 {
		return unfit("IP address type '%s' is not supported", t).WithHint("VPCs of berth are IPv4")
	}
	return nil
}

// readGroups checks the security groups of a balancer. An Application one that names
// none has its VPC's default group; a Network one then has none at all.
func readGroups(r store.Reader, b *balancer.Balancer, said []string) ([]string, error) {
	if len(said) == 0 {
		if b.Kind == balancer.Network {
			return nil, nil
		}
		for g := range store.SecurityGroups.By(r, store.SecurityGroupsByVPC, network.Key(b.Scope, b.VPCID)) {
			if g.Name == "default" {
				return []string{g.ID}, nil
			}
		}
	}
	for _, id := range said {
		g, ok := store.SecurityGroups.Get(r, network.Key(b.Scope, id))
		switch {
		case !ok:
			return nil, fault.New(fault.InvalidSecurityGroup, "Security group '%s' does not exist", id)
		case g.VPCID != b.VPCID:
			return nil, unfit("One or more security groups are invalid").WithHint("%s is not a group of %s", id, b.VPCID)
		}
	}
	return said, nil
}

func balancerNamed(r store.Reader, scope arn.Scope, name string) (*balancer.Balancer, bool) {
	for b := range store.Balancers.By(r, store.BalancersByName, store.ScopeKey(scope, name)) {
		if b.Kind != balancer.Classic {
			return b, true
		}
	}
	return nil, false
}

// same tells whether a balancer is what a caller asks for again.
func same(have, said *balancer.Balancer, groups []string, places []place) bool {
	if have.Kind != said.Kind || have.Scheme != said.Scheme || !slices.Equal(have.Tags, said.Tags) || len(have.Zones) != len(places) {
		return false
	}
	if len(groups) > 0 && !sameSet(groups, have.SecurityGroups) {
		return false
	}
	return !slices.ContainsFunc(places, func(p place) bool {
		return !slices.ContainsFunc(have.Zones, func(z balancer.Zone) bool { return z.SubnetID == p.subnet.ID && z.AllocationID == p.allocation })
	})
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func countBalancers(r store.Reader, like *balancer.Balancer) (n int) {
	for b := range store.Balancers.All(r) {
		if b.Scope == like.Scope && b.Kind == like.Kind {
			n++
		}
	}
	return n
}

func (a *API) deleteLoadBalancer(ctx context.Context, call *gateway.Call, in *shape.DeleteLoadBalancerInput) (*shape.DeleteLoadBalancerOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		b, err := findBalancer(tx, call.Scope, *in.LoadBalancerArn)
		if err != nil {
			return nil // it is deleted already, as AWS has it
		}
		if err := checkDeletable(tx, b); err != nil {
			return err
		}
		for _, l := range slices.Collect(store.Listeners.By(tx, store.ListenersByBalancer, b.ARN)) {
			dropListener(tx, l)
		}
		for _, z := range b.Zones {
			release(tx, b, z, call.Now)
		}
		store.Balancers.Delete(tx, b.ARN)
		store.Troubles.Delete(tx, b.ARN)
		return nil
	})
	return &shape.DeleteLoadBalancerOutput{}, err
}

func checkDeletable(r store.Reader, b *balancer.Balancer) error {
	if b.Enabled(balancer.DeletionProtection) {
		return fault.New(fault.OperationNotPermitted, "Load balancer '%s' cannot be deleted because deletion protection is enabled", b.ARN)
	}
	for s := range store.EndpointServices.Prefix(r, network.Key(b.Scope, "")) {
		if slices.Contains(s.Balancers, b.ARN) {
			return fault.New(fault.LoadBalancingInUse, "Load balancer '%s' is currently associated with the VPC endpoint service '%s'", b.ARN, s.ID)
		}
	}
	for t := range store.Targets.All(r) {
		if t.ID == b.ARN {
			return fault.New(fault.LoadBalancingInUse, "Load balancer '%s' is registered as a target of '%s'", b.ARN, t.GroupARN)
		}
	}
	return nil
}

// maxBalancers is how many balancers of a kind an account has in a region.
const maxBalancers = 50

func (a *API) describeLoadBalancers(_ context.Context, call *gateway.Call, in *shape.DescribeLoadBalancersInput) (*shape.DescribeLoadBalancersOutput, error) {
	v := a.store.View()
	list, err := chosenBalancers(v, call.Scope, in.LoadBalancerArns, in.Names)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(b *balancer.Balancer) string { return b.ARN })
	if err != nil {
		return nil, err
	}
	out := member.Each(part, func(b **balancer.Balancer) shape.LoadBalancer { return showBalancer(v, *b) })
	return &shape.DescribeLoadBalancersOutput{LoadBalancers: out, NextMarker: next}, nil
}

// chosenBalancers are those of a scope that a call names; all when it names none.
func chosenBalancers(r store.Reader, scope arn.Scope, arns, names []string) ([]*balancer.Balancer, error) {
	if len(arns) > 0 && len(names) > 0 {
		return nil, invalid("Load balancer names and ARNs cannot be specified at the same time")
	}
	var list []*balancer.Balancer
	for b := range store.Balancers.All(r) {
		named := len(arns)+len(names) == 0 || slices.Contains(arns, b.ARN) || slices.Contains(names, b.Name)
		if b.Scope == scope && b.Kind != balancer.Classic && named {
			list = append(list, b)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(b *balancer.Balancer) bool { return b.Name == name }) {
			return nil, fault.New(fault.LoadBalancerNotFound, "Load balancers '[%s]' not found", name)
		}
	}
	for _, name := range arns {
		if !slices.ContainsFunc(list, func(b *balancer.Balancer) bool { return b.ARN == name }) {
			return nil, fault.New(fault.LoadBalancerNotFound, "One or more load balancers not found")
		}
	}
	return list, nil
}
