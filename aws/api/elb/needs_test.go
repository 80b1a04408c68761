package elb_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/elb"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

func start(t testing.TB) *gatewaytest.Server {
	t.Helper()
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		v, err := vault.Open(t.TempDir(), st.View(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		nodes := elbv2.New(elbv2.Config{Store: st, Keyring: &keyring.Keyring{Vault: v, Log: slog.New(slog.DiscardHandler)}})
		api := elb.New(elb.Config{Store: st, Nodes: nodes, NewID: nodes.NewID, Log: slog.New(slog.DiscardHandler)})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	s.Furnish(t)
	return s
}

func TestAuthorisation(t *testing.T) {
	const web = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/web"
	type keys = map[string][]string
	need := func(action string, k keys, resources ...string) gateway.Need {
		return gateway.Need{Action: "elasticloadbalancing:" + action, Resources: resources, Keys: k}
	}
	own := func(operation, input string, k keys) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: "LoadBalancerName=web" + input, Needs: []gateway.Need{need(operation, k, web)}}
	}
	free := func(operation, input string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need(operation, nil)}}
	}
	const listener = "&Listeners.member.1.Protocol=HTTP&Listeners.member.1.LoadBalancerPort=80&Listeners.member.1.InstancePort=8080"
	const check = "&HealthCheck.Target=TCP:80&HealthCheck.Interval=30&HealthCheck.Timeout=5&HealthCheck.UnhealthyThreshold=2&HealthCheck.HealthyThreshold=2"
	protocol := keys{"elasticloadbalancing:ListenerProtocol": {"HTTP"}}
	subnet := keys{"elasticloadbalancing:Subnet": {"subnet-1"}}
	gatewaytest.Authorisation(t, start, shape.API, []gatewaytest.Authorised{
		{Operation: "CreateLoadBalancer", Input: "LoadBalancerName=web&Scheme=internal&Subnets.member.1=subnet-1&SecurityGroups.member.1=sg-1&Tags.member.1.Key=team&Tags.member.1.Value=ml" + listener, Needs: []gateway.Need{
			need("CreateLoadBalancer", keys{
				"elasticloadbalancing:Subnet": {"subnet-1"}, "elasticloadbalancing:SecurityGroup": {"sg-1"}, "elasticloadbalancing:Scheme": {"internal"},
				"elasticloadbalancing:ListenerProtocol": {"HTTP"}, "aws:RequestTag/team": {"ml"},
			}, web),
			need("AddTags", keys{"elasticloadbalancing:CreateAction": {"CreateLoadBalancer"}}, web),
		}},
		own("CreateLoadBalancerListeners", listener, protocol),
		own("AttachLoadBalancerToSubnets", "&Subnets.member.1=subnet-1", subnet), own("DetachLoadBalancerFromSubnets", "&Subnets.member.1=subnet-1", subnet),
		own("ApplySecurityGroupsToLoadBalancer", "&SecurityGroups.member.1=sg-1", keys{"elasticloadbalancing:SecurityGroup": {"sg-1"}}),
		own("CreateLoadBalancerPolicy", "&PolicyName=p&PolicyTypeName=t", nil), own("CreateAppCookieStickinessPolicy", "&PolicyName=p&CookieName=c", nil),
		own("CreateLBCookieStickinessPolicy", "&PolicyName=p", nil), own("ConfigureHealthCheck", check, nil), own("DeleteLoadBalancer", "", nil),
		own("DeleteLoadBalancerListeners", "&LoadBalancerPorts.member.1=80", nil), own("DeleteLoadBalancerPolicy", "&PolicyName=p", nil),
		own("RegisterInstancesWithLoadBalancer", "&Instances.member.1.InstanceId=i-1", nil), own("DeregisterInstancesFromLoadBalancer", "&Instances.member.1.InstanceId=i-1", nil),
		own("EnableAvailabilityZonesForLoadBalancer", "&AvailabilityZones.member.1=a", nil), own("DisableAvailabilityZonesForLoadBalancer", "&AvailabilityZones.member.1=a", nil),
		own("ModifyLoadBalancerAttributes", "&LoadBalancerAttributes.ConnectionSettings.IdleTimeout=5", nil),
		own("SetLoadBalancerListenerSSLCertificate", "&LoadBalancerPort=443&SSLCertificateId=arn", nil),
		own("SetLoadBalancerPoliciesForBackendServer", "&InstancePort=80&PolicyNames.member.1=p", nil), own("SetLoadBalancerPoliciesOfListener", "&LoadBalancerPort=80&PolicyNames.member.1=p", nil),
		{Operation: "AddTags", Input: "LoadBalancerNames.member.1=web&Tags.member.1.Key=a&Tags.member.1.Value=b", Needs: []gateway.Need{need("AddTags", keys{"aws:RequestTag/a": {"b"}}, web)}},
		{Operation: "RemoveTags", Input: "LoadBalancerNames.member.1=web&Tags.member.1.Key=a", Needs: []gateway.Need{need("RemoveTags", keys{"aws:TagKeys": {"a"}}, web)}},
		free("DescribeLoadBalancers", ""), free("DescribeLoadBalancerAttributes", "LoadBalancerName=web"), free("DescribeAccountLimits", ""),
		free("DescribeLoadBalancerPolicies", ""), free("DescribeLoadBalancerPolicyTypes", ""), free("DescribeInstanceHealth", "LoadBalancerName=web"),
		free("DescribeTags", "LoadBalancerNames.member.1=web"),
	})
}
