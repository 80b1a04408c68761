package roads_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestAServiceBehindANetworkBalancer has TCP and UDP reach tasks on Fargate.
// By default they see the balancer's address over TCP and the client's over UDP; with
// preserve_client_ip the client's over TCP as well.
func TestAServiceBehindANetworkBalancer(t *testing.T) {
	p := here.defaultVPC(t)
	const name = "deep"
	group := here.group(t, p.vpc, name, 8081, 8082)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: p.subnets[:1], SecurityGroups: []string{group},
		Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	checked := func(name, protocol string, port int32) string {
		arn := here.targets(t, &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: elbtypes.ProtocolEnum(protocol), Port: &port, VpcId: &p.vpc, TargetType: elbtypes.TargetTypeEnumIp,
			HealthCheckProtocol: elbtypes.ProtocolEnumTcp, HealthCheckPort: aws.String("8081"),
		})
		here.listen(t, *lb.LoadBalancerArn, protocol, port, arn)
		return arn
	}
	tcp, udp := checked("deep-tcp", "TCP", 8081), checked("deep-udp", "UDP", 8082)
	definition := here.register(t, serving(t, "deep", types.CompatibilityFargate))
	here.service(t, &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, DesiredCount: aws.Int32(2), NetworkConfiguration: p.network(group),
		LoadBalancers: []types.LoadBalancer{
			{TargetGroupArn: &tcp, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8081)},
			{TargetGroupArn: &udp, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8082)},
		},
	})
	here.stable(t, name)
	here.healthy(t, tcp, 2)
	here.healthy(t, udp, 2)
	node := here.node(t, lb)
	if from := askTCP(t, node+":8081"); from != node {
		t.Errorf("over TCP the task saw %s, not the balancer's %s", from, node)
	}
	from, mine := askUDP(t, node+":8082")
	if from != mine {
		t.Errorf("over UDP the task saw %s, not the client's %s", from, mine)
	}
	here.set(t, tcp, "preserve_client_ip.enabled", "true")
	eventually(t, "the client's address to be seen", func() bool { return askTCP(t, node+":8081") == mine })
}

// askTCP is the address that the server saw.
func askTCP(t *testing.T, address string) string {
	t.Helper()
	seen, err := dialTCP(address)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// dialTCP connects, and reads the address that the server saw.
func dialTCP(address string) (seen string, err error) {
	_, from, err := greeted(address)
	return host(from), err
}

// connect has a server say its name and give back a word.
func connect(_ context.Context, address string) (by string, err error) {
	by, _, err = greeted(address + ":8081")
	return by, err
}

// greeted connects, reads the server's name and the address that it saw, and has it
// give back a word.
func greeted(address string) (by, from string, err error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	if _, err := c.Write([]byte("back\n")); err != nil {
		return "", "", err
	}
	back, err := in.ReadString('\n')
	if err == nil && back != "back\n" {
		err = fmt.Errorf("echoed %q", back)
	}
	by, from, _ = strings.Cut(strings.TrimSpace(line), " ")
	return by, from, err
}

// askUDP is the address that the server saw, and the one that was used.
func askUDP(t *testing.T, address string) (seen, mine string) {
	t.Helper()
	eventually(t, "an answer over UDP", func() bool {
		c, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		mine = host(c.LocalAddr().String())
		_ = c.SetDeadline(time.Now().Add(time.Second))
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 200)
		n, err := c.Read(buffer)
		if err != nil {
			return false
		}
		seen = host(strings.Fields(string(buffer[:n]))[1])
		return true
	})
	return seen, mine
}

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return h
}
