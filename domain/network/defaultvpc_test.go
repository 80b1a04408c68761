package network

import (
	"net/netip"
	"testing"

	"github.com/berthhq/berth/domain/arn"
)

func TestDefaultVPCIsAsAWSMakesIt(t *testing.T) {
	scope := arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	d := NewDefault(scope, DefaultCIDR, "")
	want := []struct{ cidr, zone, id string }{
		{"172.31.0.0/20", "eu-central-1a", "euc1-az1"},
		{"172.31.16.0/20", "eu-central-1b", "euc1-az2"},
		{"172.31.32.0/20", "eu-central-1c", "euc1-az3"},
	}
	if len(d.Subnets) != len(want) || !d.VPC.Default || len(d.VPC.ID) != len("vpc-0123456789abcdef0") {
		t.Fatalf("got %+v", d)
	}
	seen := map[string]bool{d.VPC.ID: true, d.Group.ID: true}
	for n, w := range want {
		s := d.Subnets[n]
		if s.CIDR.String() != w.cidr || s.Zone != w.zone || s.ZoneID != w.id || s.VPCID != d.VPC.ID || !s.Default || !s.MapPublicIP {
			t.Errorf("subnet %d is %+v", n, s)
		}
		if seen[s.ID] {
			t.Errorf("id %s twice", s.ID)
		}
		seen[s.ID] = true
	}
	if in := d.Group.Ingress[0]; in.Group != d.Group.ID || in.CIDR != "" {
		t.Errorf("ingress %+v", in)
	}
	if out := d.Group.Egress[0]; out.CIDR != "0.0.0.0/0" {
		t.Errorf("egress %+v", out)
	}
}

func TestDefaultIDsFollowFromScopeAndSeed(t *testing.T) {
	id := func(account, region, seed string) string {
		return NewDefault(arn.Scope{Account: account, Region: region}, DefaultCIDR, seed).VPC.ID
	}
	first := id("1", "us-east-1", "")
	if id("1", "us-east-1", "") != first {
		t.Error("ids change")
	}
	for _, other := range []string{id("2", "us-east-1", ""), id("1", "us-east-2", ""), id("1", "us-east-1", "again")} {
		if other == first {
			t.Errorf("%s is not of its own", other)
		}
	}
}

func TestDefaultVPCInAnotherRange(t *testing.T) {
	d := NewDefault(arn.Scope{Region: "us-east-1"}, netip.MustParsePrefix("10.255.240.0/20"), "")
	if got := d.Subnets[2].CIDR.String(); got != "10.255.242.0/24" {
		t.Errorf("third subnet %s", got)
	}
}

func TestZoneIDs(t *testing.T) {
	for zone, want := range map[string]string{
		"us-east-1a": "use1-az1", "us-gov-west-1b": "usgw1-az2", "ap-northeast-3c": "apne3-az3", "ap-southeast-2a": "apse2-az1",
		"ca-central-1f": "cac1-az6", "local": "local", "rack-7": "rack-7", "us-home-1a": "us-home-1a", "a-b-": "a-b-",
	} {
		if got := ZoneID(zone); got != want {
			t.Errorf("%s is %s, want %s", zone, got, want)
		}
	}
}
