package roads_test

import (
	"net"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// balancer makes a load balancer, which goes with the test.
func (b *berth) balancer(t *testing.T, in *elasticloadbalancingv2.CreateLoadBalancerInput) types.LoadBalancer {
	t.Helper()
	out, err := b.elb.CreateLoadBalancer(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	lb := out.LoadBalancers[0]
	t.Cleanup(func() {
		if _, err := b.elb.DeleteLoadBalancer(after(t), &elasticloadbalancingv2.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}); err != nil {
			t.Error(err)
		}
	})
	return lb
}

// targets makes a target group that is checked each five seconds and drains in ten.
func (b *berth) targets(t *testing.T, in *elasticloadbalancingv2.CreateTargetGroupInput) string {
	t.Helper()
	in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount = aws.Int32(5), aws.Int32(2), aws.Int32(2)
	out, err := b.elb.CreateTargetGroup(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.TargetGroups[0].TargetGroupArn
	t.Cleanup(func() {
		if _, err := b.elb.DeleteTargetGroup(after(t), &elasticloadbalancingv2.DeleteTargetGroupInput{TargetGroupArn: &arn}); err != nil {
			t.Error(err)
		}
	})
	b.set(t, arn, "deregistration_delay.timeout_seconds", "10")
	return arn
}

func (b *berth) set(t *testing.T, group, key, value string) {
	t.Helper()
	if _, err := b.elb.ModifyTargetGroupAttributes(t.Context(), &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &group, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}},
	}); err != nil {
		t.Fatal(err)
	}
}

// listen has a balancer forward a port to a target group.
func (b *berth) listen(t *testing.T, balancer, protocol string, port int32, group string) string {
	t.Helper()
	out, err := b.elb.CreateListener(t.Context(), &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Protocol: types.ProtocolEnum(protocol), Port: &port,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.Listeners[0].ListenerArn
	t.Cleanup(func() {
		if _, err := b.elb.DeleteListener(after(t), &elasticloadbalancingv2.DeleteListenerInput{ListenerArn: &arn}); err != nil {
			t.Error(err)
		}
	})
	return arn
}

// node is the address of a balancer's first node, as its interface shows it.
func (b *berth) node(t *testing.T, lb types.LoadBalancer) string {
	t.Helper()
	_, short, _ := cutLast(*lb.LoadBalancerArn, "loadbalancer/")
	out, err := b.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: aws.String("description"), Values: []string{"ELB " + short}}},
	})
	if err != nil || len(out.NetworkInterfaces) == 0 {
		t.Fatalf("no interface of %s: %v", short, err)
	}
	return *out.NetworkInterfaces[0].PrivateIpAddress
}

// healthy waits until so many targets of a group are.
func (b *berth) healthy(t *testing.T, group string, want int) {
	t.Helper()
	eventually(t, "healthy targets", func() bool {
		out, err := b.elb.DescribeTargetHealth(t.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		if err != nil {
			t.Fatal(err)
		}
		good := 0
		for _, h := range out.TargetHealthDescriptions {
			if h.TargetHealth.State == types.TargetHealthStateEnumHealthy {
				good++
			}
		}
		return good == want
	})
}

// reached waits until somebody takes connections at an address.
func reached(t *testing.T, address string) {
	t.Helper()
	eventually(t, address+" to take connections", func() bool { return connects(address, time.Second) })
}

func connects(address string, patience time.Duration) bool {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
