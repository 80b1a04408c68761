package roads_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestBlueGreenBehindANetworkBalancer moves new connections to the next revision by a
// listener's target group; test connections have a listener of their own.
func TestBlueGreenBehindANetworkBalancer(t *testing.T) {
	p, name := here.defaultVPC(t), "netshift"
	group, role := here.group(t, p.vpc, name, 8081, testPort), here.infrastructure(t, name)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: p.subnets[:1], SecurityGroups: []string{group},
		Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	targets := func(name string) string {
		return here.targets(t, &elb.CreateTargetGroupInput{Name: &name, Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(8081), VpcId: &p.vpc, TargetType: elbtypes.TargetTypeEnumIp})
	}
	l := lanes{targets(name + "-1"), targets(name + "-2")}
	production, test := here.listen(t, *lb.LoadBalancerArn, "TCP", 8081, l.primary), here.listen(t, *lb.LoadBalancerArn, "TCP", testPort, l.primary)
	definition := here.register(t, serving(t, "one", types.CompatibilityEc2))
	here.service(t, &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(2), NetworkConfiguration: p.network(group),
		DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)},
		LoadBalancers: []types.LoadBalancer{{
			TargetGroupArn: &l.primary, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8081), AdvancedConfiguration: &types.AdvancedConfiguration{
				AlternateTargetGroupArn: &l.alternate, ProductionListenerRule: &production, TestListenerRule: &test, RoleArn: &role,
			},
		}},
	})
	here.comesTo(t, name, types.ServiceDeploymentStatusSuccessful)
	node := here.node(t, lb)
	hears := func(port int, want string) {
		t.Helper()
		eventually(t, fmt.Sprintf("%q at port %d", want, port), func() bool {
			by, _, err := greeted(fmt.Sprintf("%s:%d", node, port))
			return err == nil && by == want
		})
	}
	hears(8081, "one")
	people := crowd(t, node, "TCP")
	second := here.register(t, serving(t, "two", types.CompatibilityEc2))
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Service: aws.String(name), TaskDefinition: &second, DeploymentConfiguration: &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0), LifecycleHooks: pauses(types.DeploymentLifecycleHookStagePostTestTrafficShift),
		},
	}); err != nil {
		t.Fatal(err)
	}
	d := here.paused(t, name, "POST_TEST_TRAFFIC_SHIFT", 0)
	hears(testPort, "two")
	hears(8081, "one")
	here.continues(t, d)
	here.comesTo(t, name, types.ServiceDeploymentStatusSuccessful)
	hears(8081, "two")
	people.content(t)
}
