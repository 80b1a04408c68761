package elbv2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

const (
	// maxTargets is how many targets a group has.
	maxTargets = 1000
	// vpcAttribute is what a container instance says of its VPC.
	vpcAttribute = "ecs.vpc-id"
)

func (a *API) registerTargets(ctx context.Context, call *gateway.Call, in *shape.RegisterTargetsInput) (*shape.RegisterTargetsOutput, error) {
	if len(in.Targets) == 0 {
		return nil, invalid("A target must be specified")
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		g, err := findGroup(tx, call.Scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		for n := range in.Targets {
			t, err := readTarget(tx, g, &in.Targets[n])
			if err != nil {
				return err
			}
			t.Since = call.Now
			register(tx, t)
		}
		return checkTargets(tx, g)
	})
	return &shape.RegisterTargetsOutput{}, err
}

// register writes a target. One that is there stays as it is, and one that drains is
// back.
func register(tx *store.Tx, t *balancer.Target) {
	have, ok := store.Targets.Get(tx, t.Key())
	if ok && have.DrainingSince.IsZero() {
		return
	}
	store.TargetHealth.Delete(tx, t.Key())
	store.Targets.Put(tx, t)
}

func checkTargets(r store.Reader, g *balancer.TargetGroup) error {
	n := 0
	for range store.Targets.Prefix(r, g.ARN+" ") {
		n++
	}
	switch {
	case n > maxTargets:
		return fault.New(fault.TooManyTargets, "The maximum number of targets (%d) has been reached", maxTargets)
	case g.TargetType == balancer.TargetALB && n > 1:
		return fault.New(fault.TooManyTargets, "A target group with target type 'alb' can have only one target")
	}
	return nil
}

// readTarget finds out what a caller names.
func readTarget(r store.Reader, g *balancer.TargetGroup, in *shape.TargetDescription) (*balancer.Target, error) {
	t := &balancer.Target{Scope: g.Scope, GroupARN: g.ARN, ID: *in.Id, Port: g.Port, Zone: member.Value(in.AvailabilityZone)}
	if in.Port != nil {
		t.Port = int(*in.Port)
	}
	if in.QuicServerId != nil {
		return nil, unfit("QUIC server IDs are not supported")
	}
	if t.Zone != "" && g.TargetType != balancer.TargetIP {
		return nil, invalid("An Availability Zone can be specified only for targets of type 'ip'")
	}
	switch g.TargetType {
	case balancer.TargetIP:
		return t, placeIP(r, g, t)
	case balancer.TargetALB:
		return t, checkALB(r, g, t)
	}
	i, ok := instance(r, g.Scope, t.ID)
	if !ok {
		return nil, fault.New(fault.InvalidTarget, "The following targets are not valid instances: '%s'", t.ID)
	}
	if vpc, said := i.Attribute(vpcAttribute); said && vpc != g.VPCID {
		return nil, fault.New(fault.InvalidTarget, "The following targets are not in the target group VPC '%s': '%s'", g.VPCID, t.ID)
	}
	return t, nil
}

// instance finds a container instance by its EC2 id.
func instance(r store.Reader, scope arn.Scope, id string) (*cluster.Instance, bool) {
	for i := range store.Instances.By(r, store.InstancesByOffer, store.OfferEC2) {
		if i.Scope == scope && i.EC2ID == id {
			return i, true
		}
	}
	return nil, false
}

// placeIP finds the zone of an address of the VPC. Others are private, and are said to
// be in every zone.
func placeIP(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) error {
	ip, err := netip.ParseAddr(t.ID)
	if err != nil || !ip.Is4() {
		return fault.New(fault.InvalidTarget, "The IP address '%s' is not a valid IPv4 address", t.ID)
	}
	zone, inside := zoneOf(r, g, ip)
	switch {
	case inside && t.Zone == balancer.EveryZone:
		return nil
	case inside && zone == "":
		return fault.New(fault.InvalidTarget, "The IP address '%s' is not within the subnets of the VPC '%s'", t.ID, g.VPCID)
	case inside && t.Zone != "" && t.Zone != zone:
		return fault.New(fault.InvalidTarget, "The IP address '%s' is not in the Availability Zone '%s'", t.ID, t.Zone)
	case inside:
		t.Zone = zone
		return nil
	case !private(ip):
		return fault.New(fault.InvalidTarget, "The IP address '%s' must be from the VPC, the RFC 1918 ranges or the RFC 6598 range", t.ID)
	case t.Zone != balancer.EveryZone:
		return fault.New(fault.InvalidTarget, "The IP address '%s' is outside the VPC '%s': the Availability Zone must be 'all'", t.ID, g.VPCID)
	}
	return nil
}

// zoneOf is the zone of the subnet that has an address; inside tells whether the VPC
// has it.
func zoneOf(r store.Reader, g *balancer.TargetGroup, ip netip.Addr) (zone string, inside bool) {
	v, ok := store.VPCs.Get(r, network.Key(g.Scope, g.VPCID))
	if !ok || !slices.ContainsFunc(v.Ranges(), func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return "", false
	}
	for s := range store.Subnets.By(r, store.SubnetsByVPC, network.Key(g.Scope, g.VPCID)) {
		if s.CIDR.Contains(ip) {
			return s.Zone, true
		}
	}
	return "", true
}

// private tells whether an address is of RFC 1918 or RFC 6598.
func private(ip netip.Addr) bool {
	return ip.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(ip)
}

// checkALB wants an Application balancer of the VPC that listens on the port.
func checkALB(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) error {
	b, err := findBalancer(r, g.Scope, t.ID)
	if err != nil || b.Kind != balancer.Application {
		return fault.New(fault.InvalidTarget, "'%s' is not an Application Load Balancer", t.ID)
	}
	if b.VPCID != g.VPCID {
		return fault.New(fault.InvalidTarget, "The following targets are not in the target group VPC '%s': '%s'", g.VPCID, t.ID)
	}
	for l := range store.Listeners.By(r, store.ListenersByBalancer, b.ARN) {
		if l.Port == t.Port {
			return nil
		}
	}
	return fault.New(fault.InvalidTarget, "The Application Load Balancer '%s' has no listener on port '%d'", t.ID, t.Port)
}

func (a *API) deregisterTargets(ctx context.Context, call *gateway.Call, in *shape.DeregisterTargetsInput) (*shape.DeregisterTargetsOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		g, err := findGroup(tx, call.Scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		inUse := len(store.BalancersLeadingTo(tx, g.ARN)) > 0 && g.Seconds(balancer.DeregistrationDelay) > 0
		for n := range in.Targets {
			t, ok := store.Targets.Get(tx, keyOf(g, &in.Targets[n]))
			switch {
			case !ok || !t.DrainingSince.IsZero(): // it is gone, or on its way
			case !inUse:
				dropTarget(tx, t)
			default:
				next := *t
				next.DrainingSince = call.Now
				store.Targets.Put(tx, &next)
			}
		}
		return nil
	})
	return &shape.DeregisterTargetsOutput{}, err
}

// keyOf is the key of a target that a caller names: on its group's port unless it says
// another.
func keyOf(g *balancer.TargetGroup, in *shape.TargetDescription) string {
	port := g.Port
	if in.Port != nil {
		port = int(*in.Port)
	}
	return balancer.TargetKey(g.ARN, *in.Id, port)
}

// dropTarget removes a target with its health.
func dropTarget(tx *store.Tx, t *balancer.Target) {
	store.TargetHealth.Delete(tx, t.Key())
	store.Targets.Delete(tx, t.Key())
}
