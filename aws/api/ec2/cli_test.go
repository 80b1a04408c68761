package ec2_test

import (
	"strings"
	"testing"
)

// The questions that tutorials of ECS ask with the CLI.
func TestCommandLineFindsTheDefaultNetwork(t *testing.T) {
	s := start(t)
	populate(t, s)
	for name, c := range map[string]struct{ command, want string }{
		"vpc":       {"ec2 describe-vpcs --filters Name=isDefault,Values=true --query Vpcs[0].CidrBlock --output text", "172.31.0.0/16"},
		"subnets":   {"ec2 describe-subnets --query Subnets[].CidrBlock|sort(@)|join(',',@) --output text", "172.31.0.0/20,172.31.16.0/20,172.31.32.0/20"},
		"group":     {"ec2 describe-security-groups --group-names default --query SecurityGroups[].GroupName --output text", "default"},
		"public ip": {"ec2 describe-network-interfaces --network-interface-ids eni-2 --query NetworkInterfaces[0].Association.PublicIp --output text", "203.0.113.9"},
		"instance":  {"ec2 describe-instances --query Reservations[].Instances[].PrivateIpAddress --output text", "10.1.2.3"},
		"zones":     {"ec2 describe-availability-zones --query length(AvailabilityZones) --output text", "3"},
		"regions":   {"ec2 describe-regions --query Regions[?RegionName=='eu-west-1'].OptInStatus --output text", "opt-in-not-required"},
		"waiter":    {"ec2 wait instance-running --instance-ids i-0123456789abcdef0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := s.CLI(t, s.Root, strings.Fields(c.command)...)
			if code != 0 || strings.TrimSpace(out) != c.want {
				t.Errorf("%s: %d %q %q, want %q", c.command, code, out, errs, c.want)
			}
		})
	}
}
