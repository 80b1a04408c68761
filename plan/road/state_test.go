package road

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var home = arn.Scope{Account: "000000000000", Region: "us-east-1"}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func face(id, subnet, address, instance string, groups ...string) network.Interface {
	return network.Interface{
		Scope: home, ID: id, VPCID: "vpc-1", SubnetID: subnet, PrivateIP: ip(address), MAC: "0a:00:00:00:00:01",
		InstanceARN: instance, SecurityGroups: groups,
	}
}

// town has a VPC over three hosts, two of which have an underlay.
func town(t *testing.T, change func(*store.Tx)) *store.View {
	t.Helper()
	v, err := memory.Open().Update(context.Background(), func(tx *store.Tx) error {
		store.VPCs.Put(tx, &network.VPC{Scope: home, ID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), Number: 7,
			More: []network.Range{{CIDR: netip.MustParsePrefix("10.1.0.0/16")}}})
		for _, s := range []string{"subnet-a", "subnet-b"} {
			store.Subnets.Put(tx, &network.Subnet{Scope: home, ID: s, VPCID: "vpc-1", Default: true})
		}
		for arn, underlay := range map[string]string{"one": "192.0.2.1", "two": "192.0.2.2", "three": ""} {
			i := &cluster.Instance{ARN: arn, Status: cluster.InstanceActive}
			if underlay != "" {
				i.Attributes = []workload.Attribute{{Name: acs.AttributeUnderlay, Value: underlay}}
			}
			store.Instances.Put(tx, i)
		}
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: home, ID: "sg-web", VPCID: "vpc-1", Ingress: []network.Rule{
			{ID: "sgr-1", Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-app", Description: "apps"},
			{ID: "sgr-2", Protocol: "tcp", FromPort: 81, ToPort: 81, PrefixList: "pl-1"},
			{ID: "sgr-3", Protocol: "tcp", FromPort: 82, ToPort: 82, CIDR6: "::/0"},
		}})
		store.PrefixLists.Put(tx, &network.PrefixList{Scope: home, ID: "pl-1", Entries: []network.PrefixListEntry{{CIDR: "192.0.2.0/24"}, {CIDR: "198.51.100.0/24"}}})
		faces := []network.Interface{
			face("eni-web", "subnet-a", "10.0.0.4", "one", "sg-web"), face("eni-app", "subnet-b", "10.0.1.4", "two", "sg-app"),
			face("eni-far", "subnet-b", "10.0.1.5", "three", "sg-app"), face("eni-old", "subnet-a", "10.0.0.9", "one", "sg-app"),
			face("eni-node", "subnet-a", "10.0.0.5", "two", "sg-lb"),
		}
		faces[3].ReleasedAt = time.Unix(1, 0)
		faces[4].Kind, faces[4].Unchecked = network.ForBalancer, true
		for i := range faces {
			store.Interfaces.Put(tx, &faces[i])
		}
		if change != nil {
			change(tx)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestStateOfAVPCOnAHost(t *testing.T) {
	v := town(t, nil)
	if got := VPCsOf(v, "one"); len(got) != 1 || got[0] != network.Key(home, "vpc-1") {
		t.Fatalf("the host has VPCs %v", got)
	}
	got := StateOf(v, "one", network.Key(home, "vpc-1"))
	want := &network.State{
		VPCID: "vpc-1", Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16")}, Number: 7,
		Ends: []network.End{{InterfaceID: "eni-web", Address: ip("10.0.0.4"), MAC: "0a:00:00:00:00:01", Groups: []string{"sg-web"}, Exit: network.ExitIGW}},
		Groups: []network.GroupState{{ID: "sg-web", Ingress: []network.Rule{
			{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-app"},
			{Protocol: "tcp", FromPort: 81, ToPort: 81, CIDR: "192.0.2.0/24"}, {Protocol: "tcp", FromPort: 81, ToPort: 81, CIDR: "198.51.100.0/24"},
		}}},
		Members: map[string][]netip.Addr{"sg-app": {ip("10.0.1.4"), ip("10.0.1.5")}},
		Peers:   []network.PeerHost{{Underlay: ip("192.0.2.2"), Addresses: []netip.Addr{ip("10.0.0.5"), ip("10.0.1.4")}, Unchecked: true}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if alone := StateOf(v, "three", network.Key(home, "vpc-1")); alone.Peers != nil {
		t.Errorf("a host without underlay has peers %v", alone.Peers)
	}
	if none := StateOf(v, "one", network.Key(home, "vpc-2")); !reflect.DeepEqual(none, &network.State{VPCID: "vpc-2"}) {
		t.Errorf("a VPC that is gone is %+v", none)
	}
}

// An internet gateway carries tasks that were to have a public address.
func TestTasksWithoutAPublicAddressStayInside(t *testing.T) {
	nat := &network.Route{To: "0.0.0.0/0", NAT: "nat-1"}
	igw := &network.Route{To: "0.0.0.0/0", Gateway: "igw-1"}
	for name, c := range map[string]struct {
		launch workload.LaunchType
		assign string
		public netip.Addr
		route  *network.Route
		want   network.Exit
	}{
		"assigned":              {workload.Fargate, "ENABLED", ip("203.0.113.4"), igw, network.ExitIGW},
		"none was left":         {workload.Fargate, "ENABLED", netip.Addr{}, igw, network.ExitIGW},
		"not assigned":          {workload.Fargate, "DISABLED", netip.Addr{}, igw, network.ExitNone},
		"with an elastic one":   {workload.Fargate, "DISABLED", ip("203.0.113.5"), igw, network.ExitIGW},
		"behind a NAT gateway":  {workload.Fargate, "DISABLED", netip.Addr{}, nat, network.ExitNAT},
		"assigned and no route": {workload.Fargate, "ENABLED", ip("203.0.113.4"), nil, network.ExitNone},
		"on EC2 capacity":       {workload.EC2, "DISABLED", netip.Addr{}, igw, network.ExitIGW},
	} {
		v := town(t, func(tx *store.Tx) {
			store.Tasks.Put(tx, &task.Task{Scope: home, ARN: "t", Spec: task.Spec{LaunchType: c.launch, NetworkConfiguration: &task.NetworkConfiguration{AssignPublicIP: c.assign}}})
			f := face("eni-web", "subnet-a", "10.0.0.4", "one", "sg-web")
			f.TaskARN, f.PublicIP = "t", c.public
			store.Interfaces.Put(tx, &f)
			table := network.RouteTable{Scope: home, ID: "rtb-1", VPCID: "vpc-1", Associations: []network.Association{{Main: true}}}
			if c.route != nil {
				table.Routes = []network.Route{*c.route}
			}
			store.RouteTables.Put(tx, &table)
			store.InternetGateways.Put(tx, &network.InternetGateway{Scope: home, ID: "igw-1", VPCID: "vpc-1"})
			store.NATGateways.Put(tx, &network.NATGateway{Scope: home, ID: "nat-1", VPCID: "vpc-1"})
		})
		if e := StateOf(v, "one", network.Key(home, "vpc-1")).Ends[0]; e.Exit != c.want || e.Public != c.public {
			t.Errorf("%s: %q under %v", name, e.Exit, e.Public)
		}
	}
}

func TestWaysOutOfAVPC(t *testing.T) {
	main := network.RouteTable{Scope: home, ID: "rtb-1", VPCID: "vpc-1", Associations: []network.Association{{Main: true}}}
	igw := network.InternetGateway{Scope: home, ID: "igw-1", VPCID: "vpc-1"}
	detached := network.InternetGateway{Scope: home, ID: "igw-2"}
	nat := network.NATGateway{Scope: home, ID: "nat-1", VPCID: "vpc-1", InterfaceID: "eni-nat", AllocationID: "eipalloc-1"}
	private := network.NATGateway{Scope: home, ID: "nat-2", VPCID: "vpc-1", InterfaceID: "eni-nat", Connectivity: "private"}
	for name, c := range map[string]struct {
		route   *network.Route
		subnet  string // whose table it is; empty for the main one
		exit    network.Exit
		address netip.Addr
	}{
		"no route":           {nil, "", network.ExitNone, netip.Addr{}},
		"internet gateway":   {&network.Route{To: "0.0.0.0/0", Gateway: "igw-1"}, "", network.ExitIGW, netip.Addr{}},
		"the subnet's table": {&network.Route{To: "0.0.0.0/0", Gateway: "igw-1"}, "subnet-a", network.ExitIGW, netip.Addr{}},
		"another's table":    {&network.Route{To: "0.0.0.0/0", Gateway: "igw-1"}, "subnet-b", network.ExitNone, netip.Addr{}},
		"detached":           {&network.Route{To: "0.0.0.0/0", Gateway: "igw-2"}, "", network.ExitNone, netip.Addr{}},
		"NAT":                {&network.Route{To: "0.0.0.0/0", NAT: "nat-1"}, "", network.ExitNAT, ip("203.0.113.9")},
		"private NAT":        {&network.Route{To: "0.0.0.0/0", NAT: "nat-2"}, "", network.ExitNone, netip.Addr{}},
		"NAT that is gone":   {&network.Route{To: "0.0.0.0/0", NAT: "nat-3"}, "", network.ExitNone, netip.Addr{}},
	} {
		v := town(t, func(tx *store.Tx) {
			table := main
			if c.subnet != "" {
				own := network.RouteTable{Scope: home, ID: "rtb-2", VPCID: "vpc-1", Associations: []network.Association{{SubnetID: c.subnet}}, Routes: []network.Route{*c.route}}
				store.RouteTables.Put(tx, &own)
			} else if c.route != nil {
				table.Routes = []network.Route{*c.route}
			}
			store.RouteTables.Put(tx, &table)
			store.InternetGateways.Put(tx, &igw)
			store.InternetGateways.Put(tx, &detached)
			store.NATGateways.Put(tx, &nat)
			store.NATGateways.Put(tx, &private)
			store.Addresses.Put(tx, &network.Address{Scope: home, AllocationID: "eipalloc-1", IP: ip("203.0.113.9")})
			f := face("eni-nat", "subnet-b", "10.0.0.20", "")
			store.Interfaces.Put(tx, &f)
		})
		e := StateOf(v, "one", network.Key(home, "vpc-1")).Ends[0]
		if e.Exit != c.exit || e.ExitAddress != c.address {
			t.Errorf("%s: %q by %v", name, e.Exit, e.ExitAddress)
		}
	}
}
