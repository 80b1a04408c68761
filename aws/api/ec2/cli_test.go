package ec2_test

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// The questions that tutorials of ECS ask with the CLI.
func TestCommandLineFindsTheDefaultNetwork(t *testing.T) {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()}}
	}, nil)
	s.Furnish(t)
	for name, c := range map[string]struct{ command, want string }{
		"group":     {"ec2 describe-security-groups --group-names default --query SecurityGroups[].GroupName --output text", "default"},
		"public ip": {"ec2 describe-network-interfaces --network-interface-ids " + gatewaytest.FargateInterface + " --query NetworkInterfaces[0].Association.PublicIp --output text", "203.0.113.9"},
		"instance":  {"ec2 describe-instances --query Reservations[].Instances[].PrivateIpAddress --output text", "10.1.2.3"},
		"waiter":    {"ec2 wait instance-running --instance-ids " + gatewaytest.EC2ID, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := s.CLI(t, s.Root, strings.Fields(c.command)...)
			if code != 0 || strings.TrimSpace(out) != c.want {
				t.Errorf("%s: %d %q %q, want %q", c.command, code, out, errs, c.want)
			}
		})
	}
}
