package network

import (
	"testing"
	"time"
)

func TestExitFollowsTheRouteOut(t *testing.T) {
	gateways := Gateways{
		Internet: func(id string) (*InternetGateway, bool) {
			vpc, ok := map[string]string{"igw-on": "vpc-1", "igw-off": "", "igw-other": "vpc-2"}[id]
			return &InternetGateway{ID: id, VPCID: vpc}, ok
		},
		NAT: func(id string) (*NATGateway, bool) {
			g, ok := map[string]NATGateway{
				"nat-on": {Connectivity: "public"}, "nat-off": {DeletedAt: time.Unix(1, 0)}, "nat-private": {Connectivity: "private"},
			}[id]
			return &g, ok
		},
	}
	for name, c := range map[string]struct {
		route Route
		want  Exit
	}{
		"attached":         {Route{To: World, Gateway: "igw-on"}, ExitIGW},
		"detached":         {Route{To: World, Gateway: "igw-off"}, ExitNone},
		"of another VPC":   {Route{To: World, Gateway: "igw-other"}, ExitNone},
		"gone":             {Route{To: World, Gateway: "igw-gone"}, ExitNone},
		"not to the world": {Route{To: "8.8.8.0/24", Gateway: "igw-on"}, ExitNone},
		"NAT":              {Route{To: World, NAT: "nat-on"}, ExitNAT},
		"deleted NAT":      {Route{To: World, NAT: "nat-off"}, ExitNone},
		"private NAT":      {Route{To: World, NAT: "nat-private"}, ExitNone},
		"interface":        {Route{To: World, Interface: "eni-1"}, ExitNone},
	} {
		t.Run(name, func(t *testing.T) {
			exit, nat := ExitOf(&RouteTable{VPCID: "vpc-1", Routes: []Route{c.route}}, gateways)
			if exit != c.want || (nat != nil) != (exit == ExitNAT) {
				t.Errorf("got %q %v, want %q", exit, nat, c.want)
			}
		})
	}
	if exit, _ := ExitOf(nil, gateways); exit != ExitNone {
		t.Errorf("no table leads to %q", exit)
	}
}
