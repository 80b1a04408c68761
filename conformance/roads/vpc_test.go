package roads_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// place is where a test's things are: the default VPC and its subnets.
type place struct {
	vpc     string
	subnets []string
}

func (b *berth) defaultVPC(t *testing.T) place {
	t.Helper()
	out, err := b.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil || len(out.Subnets) == 0 {
		t.Fatalf("default subnets: %v", err)
	}
	p := place{vpc: *out.Subnets[0].VpcId}
	for _, s := range out.Subnets {
		p.subnets = append(p.subnets, *s.SubnetId)
	}
	return p
}

// group makes a security group that lets everybody in at the ports.
func (b *berth) group(t *testing.T, vpc, name string, ports ...int32) string {
	t.Helper()
	out, err := b.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: aws.String("of a test")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "the group to be in nobody's use", func() bool {
			_, err := b.ec2.DeleteSecurityGroup(after(t), &ec2.DeleteSecurityGroupInput{GroupId: out.GroupId})
			return err == nil
		})
	})
	for _, p := range ports {
		b.open(t, *out.GroupId, p)
	}
	return *out.GroupId
}

func (b *berth) open(t *testing.T, group string, port int32) {
	t.Helper()
	if _, err := b.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: everybody(port)}); err != nil {
		t.Fatal(err)
	}
}

func (b *berth) shut(t *testing.T, group string, port int32) {
	t.Helper()
	if _, err := b.ec2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: everybody(port)}); err != nil {
		t.Fatal(err)
	}
}

func everybody(port int32) []types.IpPermission {
	both := func(protocol string) types.IpPermission {
		return types.IpPermission{
			IpProtocol: &protocol, FromPort: &port, ToPort: &port, IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}
	}
	return []types.IpPermission{both("tcp"), both("udp")}
}
