package balancers_test

import (
	"net/netip"
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// What Terraform's aws_lb does with an Application balancer.
func TestApplicationBalancerLivesAsTerraformAsks(t *testing.T) {
	h := open(t)
	in := &elb.CreateLoadBalancerInput{
		Name: new("web"), Subnets: h.subnets[:2], SecurityGroups: []string{h.group}, Type: types.LoadBalancerTypeEnumApplication,
		Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	}
	b := done[*elb.CreateLoadBalancerOutput](t)(h.CreateLoadBalancer(background, in)).LoadBalancers[0]
	name := *b.LoadBalancerArn
	if !strings.HasPrefix(name, gatewaytest.Scope.Of("elasticloadbalancing", "loadbalancer/app/web/")) {
		t.Errorf("ARN %s", name)
	}
	if !strings.HasPrefix(*b.DNSName, "web-") || !strings.HasSuffix(*b.DNSName, ".eu-central-1.elb.amazonaws.com") || *b.CanonicalHostedZoneId != "Z215JYRZR1TBD5" {
		t.Errorf("named %s in %s", *b.DNSName, *b.CanonicalHostedZoneId)
	}
	equal(t, "state", b.State.Code, types.LoadBalancerStateEnumActive)
	equal(t, "scheme", b.Scheme, types.LoadBalancerSchemeEnumInternetFacing)
	equal(t, "groups", b.SecurityGroups, []string{h.group})
	equal(t, "zones", zonesOf(b.AvailabilityZones), "eu-central-1a eu-central-1b")

	for n, i := range h.nodes() {
		if i.Owner != name || i.SubnetID != h.subnets[n] || i.RequesterID != "amazon-elb" || i.Description != "ELB app/web/"+name[strings.LastIndexByte(name, '/')+1:] || i.Unchecked || !i.PublicIP.IsValid() {
			t.Errorf("node %+v", i)
		}
	}
	equal(t, "nodes", len(h.nodes()), 2)
	if _, ok := store.Roles.Get(h.Store.View(), store.NameKey(gatewaytest.Scope.Account, linked.Name(linked.LoadBalancing, ""))); !ok {
		t.Error("the service-linked role is missing")
	}

	again := done[*elb.CreateLoadBalancerOutput](t)(h.CreateLoadBalancer(background, in)).LoadBalancers[0]
	equal(t, "made again", *again.LoadBalancerArn, name)
	_, err := h.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{Name: new("web"), Subnets: h.subnets[:3]})
	refused(t, err, "DuplicateLoadBalancerName", "A load balancer with the same name 'web' exists, but with different settings")

	found := done[*elb.DescribeLoadBalancersOutput](t)(h.DescribeLoadBalancers(background, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{name}}))
	equal(t, "read back", found.LoadBalancers[0], b)

	set := done[*elb.ModifyLoadBalancerAttributesOutput](t)(h.ModifyLoadBalancerAttributes(background, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &name, Attributes: []types.LoadBalancerAttribute{
			{Key: new("idle_timeout.timeout_seconds"), Value: new("120")}, {Key: new("deletion_protection.enabled"), Value: new("true")},
		},
	}))
	equal(t, "idle timeout", attribute(set.Attributes, "idle_timeout.timeout_seconds"), "120")
	all := done[*elb.DescribeLoadBalancerAttributesOutput](t)(h.DescribeLoadBalancerAttributes(background, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &name}))
	equal(t, "attributes read back", all.Attributes, set.Attributes)
	equal(t, "HTTP/2", attribute(all.Attributes, "routing.http2.enabled"), "true")
	reserved := done[*elb.DescribeCapacityReservationOutput](t)(h.DescribeCapacityReservation(background, &elb.DescribeCapacityReservationInput{LoadBalancerArn: &name}))
	if reserved.MinimumLoadBalancerCapacity != nil {
		t.Errorf("reserved %+v", reserved.MinimumLoadBalancerCapacity)
	}

	moved := done[*elb.SetSubnetsOutput](t)(h.SetSubnets(background, &elb.SetSubnetsInput{LoadBalancerArn: &name, Subnets: h.subnets[1:]}))
	equal(t, "zones after moving", zonesOf(moved.AvailabilityZones), "eu-central-1b eu-central-1c")
	equal(t, "nodes after moving", h.nodes()[1].SubnetID, h.subnets[2])

	_, err = h.DeleteLoadBalancer(background, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &name})
	refused(t, err, "OperationNotPermitted", "deletion protection is enabled")
	done[*elb.ModifyLoadBalancerAttributesOutput](t)(h.ModifyLoadBalancerAttributes(background, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &name, Attributes: []types.LoadBalancerAttribute{{Key: new("deletion_protection.enabled"), Value: new("false")}},
	}))
	for range 2 { // the second finds nothing, and is well
		done[*elb.DeleteLoadBalancerOutput](t)(h.DeleteLoadBalancer(background, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &name}))
	}
	equal(t, "nodes at last", len(h.nodes()), 0)
	_, err = h.DescribeLoadBalancers(background, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{name}})
	refused(t, err, "LoadBalancerNotFound", "One or more load balancers not found")
	_, err = h.DescribeLoadBalancers(background, &elb.DescribeLoadBalancersInput{Names: []string{"web"}})
	refused(t, err, "LoadBalancerNotFound", "Load balancers '[web]' not found")
}

func zonesOf(list []types.AvailabilityZone) string {
	var names []string
	for _, z := range list {
		names = append(names, *z.ZoneName)
	}
	return strings.Join(names, " ")
}

func TestNetworkBalancerHasItsAddresses(t *testing.T) {
	h := open(t)
	elastic := &network.Address{Scope: gatewaytest.Scope, AllocationID: "eipalloc-0123456789abcdef0", IP: netip.MustParseAddr("198.51.100.7")}
	h.Put(t, func(tx *store.Tx) { store.Addresses.Put(tx, elastic) })
	in := &elb.CreateLoadBalancerInput{
		Name: new("net"), Type: types.LoadBalancerTypeEnumNetwork,
		SubnetMappings: []types.SubnetMapping{{SubnetId: &h.subnets[0], AllocationId: &elastic.AllocationID}},
	}
	b := done[*elb.CreateLoadBalancerOutput](t)(h.CreateLoadBalancer(background, in)).LoadBalancers[0]
	if !strings.HasSuffix(*b.DNSName, ".elb.eu-central-1.amazonaws.com") || *b.CanonicalHostedZoneId != "Z3F0SRJ5LGBH90" {
		t.Errorf("named %s in %s", *b.DNSName, *b.CanonicalHostedZoneId)
	}
	equal(t, "addresses", b.AvailabilityZones[0].LoadBalancerAddresses, []types.LoadBalancerAddress{{IpAddress: new("198.51.100.7"), AllocationId: &elastic.AllocationID}})
	node := h.nodes()[0]
	if node.PublicIP != elastic.IP || !node.Unchecked || len(node.SecurityGroups) != 0 {
		t.Errorf("node %+v", node)
	}
	held, _ := store.Addresses.Get(h.Store.View(), network.Key(elastic.Scope, elastic.AllocationID))
	equal(t, "who holds the address", held.InterfaceID, node.ID)

	in.Name = new("other")
	_, err := h.CreateLoadBalancer(background, in)
	refused(t, err, "ResourceInUse", "is already in use")
	done[*elb.DeleteLoadBalancerOutput](t)(h.DeleteLoadBalancer(background, &elb.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}))
	held, _ = store.Addresses.Get(h.Store.View(), network.Key(elastic.Scope, elastic.AllocationID))
	equal(t, "who holds the address at last", held.InterfaceID, "")

	inside := done[*elb.CreateLoadBalancerOutput](t)(h.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{
		Name: new("inside"), Type: types.LoadBalancerTypeEnumNetwork, Scheme: types.LoadBalancerSchemeEnumInternal,
		SubnetMappings: []types.SubnetMapping{{SubnetId: &h.subnets[0], PrivateIPv4Address: new("172.31.1.9")}},
	})).LoadBalancers[0]
	equal(t, "private address", *inside.AvailabilityZones[0].LoadBalancerAddresses[0].PrivateIPv4Address, "172.31.1.9")
	equal(t, "leased", h.nodes()[0].PrivateIP.String(), "172.31.1.9")
}

// TestABalancerThatNoEdgeCanCarry shows the reason in its state.
func TestABalancerThatNoEdgeCanCarry(t *testing.T) {
	h := open(t)
	lb := done[*elb.CreateLoadBalancerOutput](t)(h.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{Name: new("web"), Subnets: h.subnets[:2]})).LoadBalancers[0]
	nodes := h.nodes()
	place := func(edges ...string) {
		h.Put(t, func(tx *store.Tx) {
			for n, edge := range edges {
				i := *nodes[n]
				i.InstanceARN = edge
				store.Interfaces.Put(tx, &i)
			}
		})
	}
	state := func() string {
		s := done[*elb.DescribeLoadBalancersOutput](t)(h.DescribeLoadBalancers(background, nil)).LoadBalancers[0].State
		if s.Reason == nil {
			return string(s.Code)
		}
		return string(s.Code) + ": " + *s.Reason
	}
	trouble := func(edge, reason string) {
		h.Put(t, func(tx *store.Tx) { store.Trouble(tx, *lb.LoadBalancerArn, edge, reason) })
	}
	place("a", "b")
	equal(t, "at first", state(), "active")
	trouble("a", "it lacks a program")
	equal(t, "one of two", state(), "active_impaired: it lacks a program")
	trouble("b", "it lacks a program")
	equal(t, "both", state(), "failed: it lacks a program")
	trouble("a", "")
	trouble("b", "")
	trouble("c", "it has no node")
	equal(t, "mended", state(), "active")
}

func TestBalancersThatCannotBe(t *testing.T) {
	h := open(t)
	net := types.LoadBalancerTypeEnumNetwork
	for _, c := range []struct {
		in          elb.CreateLoadBalancerInput
		kind, words string
	}{
		{elb.CreateLoadBalancerInput{Name: new("a_b"), Subnets: h.subnets[:2]}, "ValidationError", "can only contain characters that are alphanumeric characters and hyphens(-)"},
		{elb.CreateLoadBalancerInput{Name: new("-ab"), Subnets: h.subnets[:2]}, "ValidationError", "cannot begin or end with a hyphen(-)"},
		{elb.CreateLoadBalancerInput{Name: new("internal-a"), Subnets: h.subnets[:2]}, "ValidationError", "cannot begin with 'internal-'"},
		{elb.CreateLoadBalancerInput{Name: new(strings.Repeat("a", 33)), Subnets: h.subnets[:2]}, "ValidationError", "cannot be longer than '32' characters"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: h.subnets[:1]}, "ValidationError", "At least two subnets in two different Availability Zones must be specified"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: []string{h.subnets[0], h.subnets[0]}}, "InvalidConfigurationRequest", "multiple subnets in the same Availability Zone"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: []string{"subnet-1", "subnet-2"}}, "SubnetNotFound", "The subnet ID 'subnet-1' does not exist"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: h.subnets[:2], SecurityGroups: []string{"sg-1"}}, "InvalidSecurityGroup", "does not exist"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: h.subnets[:2], Type: types.LoadBalancerTypeEnumGateway}, "InvalidConfigurationRequest", "not supported"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: h.subnets[:2], IpAddressType: types.IpAddressTypeDualstack}, "InvalidConfigurationRequest", "not supported"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Type: net, SubnetMappings: []types.SubnetMapping{{SubnetId: &h.subnets[0], AllocationId: new("eipalloc-1")}}}, "AllocationIdNotFound", "does not exist"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Type: net, SubnetMappings: []types.SubnetMapping{{SubnetId: &h.subnets[0], PrivateIPv4Address: new("10.0.0.1")}}}, "InvalidConfigurationRequest", "is not an address of the subnet"},
		{elb.CreateLoadBalancerInput{Name: new("a"), Subnets: h.subnets[:2], Tags: []types.Tag{{Key: new("a")}, {Key: new("a")}}}, "DuplicateTagKeys", ""},
	} {
		_, err := h.CreateLoadBalancer(background, &c.in)
		refused(t, err, c.kind, c.words)
	}
	equal(t, "nodes", len(h.nodes()), 0)
}
