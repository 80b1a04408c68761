package life_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
)

// soon bounds how long a rule may take to reach a host: 100 ms on a machine that has
// nothing else to do, which one that runs all these tests has.
const soon = 2 * time.Second

// TestAPortOpensUnderALiveTask opens and closes the port of a task that runs, and asks
// from the host, to which security groups apply as to everybody.
func TestAPortOpensUnderALiveTask(t *testing.T) {
	t.Parallel()
	api := ec2.NewFromConfig(here.config())
	task := privately(server("app"))
	in := here.place(t, task)
	subnets, err := api.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: in.NetworkConfiguration.AwsvpcConfiguration.Subnets})
	if err != nil || len(subnets.Subnets) == 0 {
		t.Fatal(err)
	}
	group, err := api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("ports"), Description: aws.String("ports"), VpcId: subnets.Subnets[0].VpcId,
	})
	var refused smithy.APIError
	if errors.As(err, &refused) && strings.HasPrefix(refused.ErrorCode(), "Unsupported") || refused != nil && refused.ErrorCode() == "InvalidAction" {
		t.Skipf("this berth makes no security groups: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	arn := here.run(t, task, func(in *ecs.RunTaskInput) {
		in.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups = []string{*group.GroupId}
	})
	at := address(t, here.running(t, arn)) + ":80"
	if opened(at) {
		t.Fatal("the port is open before any rule says so")
	}
	rule := []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}
	if _, err := api.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: rule}); err != nil {
		t.Fatal(err)
	}
	t.Logf("the port was open %v after the answer", until(t, "open", func() bool { return opened(at) }))
	if _, err := api.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: rule}); err != nil {
		t.Fatal(err)
	}
	t.Logf("the port was closed %v after the answer", until(t, "closed", func() bool { return !opened(at) }))
}

// opened tells whether a connection comes about at once: a closed port is silent.
func opened(address string) bool {
	c, err := net.DialTimeout("tcp", address, 20*time.Millisecond)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// until tells how long it took for something to be so.
func until(t *testing.T, what string, so func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !so() {
		if time.Since(start) > soon {
			t.Fatalf("not %s after %v", what, soon)
		}
	}
	return time.Since(start)
}
