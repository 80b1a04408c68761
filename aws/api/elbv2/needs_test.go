package elbv2_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

const (
	prefix   = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
	web      = prefix + "loadbalancer/app/web/0123456789abcdef"
	listener = prefix + "listener/app/web/0123456789abcdef/1111111111111111"
	rule     = prefix + "listener-rule/app/web/0123456789abcdef/1111111111111111/2222222222222222"
	group    = prefix + "targetgroup/blue/3333333333333333"
	trusted  = prefix + "truststore/ours/4444444444444444"
)

func start(t testing.TB) *gatewaytest.Server {
	t.Helper()
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		v, err := vault.Open(t.TempDir(), st.View(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		api := elbv2.New(elbv2.Config{Store: st, Keyring: &keyring.Keyring{Vault: v, Log: slog.New(slog.DiscardHandler)}})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	s.Furnish(t)
	return s
}

func TestAuthorisation(t *testing.T) {
	need := func(action string, resources ...string) gateway.Need {
		return gateway.Need{Action: "elasticloadbalancing:" + action, Resources: resources}
	}
	on := func(operation, input string, resources ...string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need(operation, resources...)}}
	}
	with := func(n gateway.Need, pairs ...string) gateway.Need {
		n.Keys = map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			n.Keys[pairs[i]] = []string{pairs[i+1]}
		}
		return n
	}
	object := gateway.Need{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::certs/ca.pem"}}
	const tagged = "&Tags.member.1.Key=team&Tags.member.1.Value=a"
	gatewaytest.Authorisation(t, start, shape.API, []gatewaytest.Authorised{
		{Operation: "CreateLoadBalancer", Input: "Name=web&Subnets.member.1=subnet-1&SecurityGroups.member.1=sg-1" + tagged, Needs: []gateway.Need{
			with(need("CreateLoadBalancer", prefix+"loadbalancer/app/web/*"), "elasticloadbalancing:Scheme", "internet-facing", "elasticloadbalancing:Subnet", "subnet-1",
				"elasticloadbalancing:SecurityGroup", "sg-1", "aws:RequestTag/team", "a"),
			with(need("AddTags", prefix+"loadbalancer/app/web/*"), "elasticloadbalancing:CreateAction", "CreateLoadBalancer"),
		}},
		{Operation: "CreateListener", Input: "LoadBalancerArn=" + web + "&Protocol=HTTPS&SslPolicy=p&Port=443&DefaultActions.member.1.Type=forward" + tagged, Needs: []gateway.Need{
			with(need("CreateListener", web), "elasticloadbalancing:ListenerProtocol", "HTTPS", "elasticloadbalancing:SecurityPolicy", "p"),
			with(need("AddTags", prefix+"listener/app/web/0123456789abcdef/*"), "elasticloadbalancing:CreateAction", "CreateListener"),
		}},
		{Operation: "CreateRule", Input: "ListenerArn=" + listener + "&Priority=1&Conditions.member.1.Field=a&Actions.member.1.Type=forward" + tagged, Needs: []gateway.Need{
			need("CreateRule", listener),
			with(need("AddTags", prefix+"listener-rule/app/web/0123456789abcdef/1111111111111111/*"), "elasticloadbalancing:CreateAction", "CreateRule"),
		}},
		{Operation: "CreateTargetGroup", Input: "Name=blue" + tagged, Needs: []gateway.Need{
			need("CreateTargetGroup", prefix+"targetgroup/blue/*"),
			with(need("AddTags", prefix+"targetgroup/blue/*"), "elasticloadbalancing:CreateAction", "CreateTargetGroup"),
		}},
		{Operation: "CreateTrustStore", Input: "Name=ours&CaCertificatesBundleS3Bucket=certs&CaCertificatesBundleS3Key=ca.pem", Needs: []gateway.Need{
			need("CreateTrustStore", prefix+"truststore/ours/*"), object,
		}},
		on("DescribeLoadBalancers", ""), on("DeleteLoadBalancer", "LoadBalancerArn="+web, web),
		{Operation: "SetSubnets", Input: "LoadBalancerArn=" + web + "&Subnets.member.1=subnet-1", Needs: []gateway.Need{with(need("SetSubnets", web), "elasticloadbalancing:Subnet", "subnet-1")}},
		{Operation: "SetSecurityGroups", Input: "LoadBalancerArn=" + web + "&SecurityGroups.member.1=sg-1", Needs: []gateway.Need{
			with(need("SetSecurityGroups", web), "elasticloadbalancing:SecurityGroup", "sg-1"),
		}},
		on("SetIpAddressType", "IpAddressType=ipv4&LoadBalancerArn="+web, web),
		on("DescribeLoadBalancerAttributes", "LoadBalancerArn="+web), on("DescribeCapacityReservation", "LoadBalancerArn="+web),
		on("ModifyLoadBalancerAttributes", "Attributes.member.1.Key=a&Attributes.member.1.Value=b&LoadBalancerArn="+web, web),
		on("ModifyCapacityReservation", "LoadBalancerArn="+web, web), on("ModifyIpPools", "LoadBalancerArn="+web, web), on("DescribeAccountLimits", ""),

		on("DescribeListeners", "LoadBalancerArn="+web), on("DeleteListener", "ListenerArn="+listener, listener),
		{Operation: "ModifyListener", Input: "Protocol=HTTP&ListenerArn=" + listener, Needs: []gateway.Need{with(need("ModifyListener", listener), "elasticloadbalancing:ListenerProtocol", "HTTP")}},
		on("DescribeListenerAttributes", "ListenerArn="+listener), on("DescribeSSLPolicies", ""), on("DescribeListenerCertificates", "ListenerArn="+listener),
		on("ModifyListenerAttributes", "Attributes.member.1.Key=a&ListenerArn="+listener, listener),
		on("AddListenerCertificates", "Certificates.member.1.CertificateArn=a&ListenerArn="+listener, listener),
		on("RemoveListenerCertificates", "Certificates.member.1.CertificateArn=a&ListenerArn="+listener, listener),

		on("DescribeRules", "ListenerArn="+listener), on("ModifyRule", "RuleArn="+rule, rule), on("DeleteRule", "RuleArn="+rule, rule),
		on("SetRulePriorities", "RulePriorities.member.1.Priority=2&RulePriorities.member.1.RuleArn="+rule, rule),

		on("DescribeTargetGroups", ""), on("ModifyTargetGroup", "TargetGroupArn="+group, group), on("DeleteTargetGroup", "TargetGroupArn="+group, group),
		on("DescribeTargetGroupAttributes", "TargetGroupArn="+group), on("DescribeTargetHealth", "TargetGroupArn="+group),
		on("ModifyTargetGroupAttributes", "Attributes.member.1.Key=a&TargetGroupArn="+group, group),
		on("RegisterTargets", "Targets.member.1.Id=a&TargetGroupArn="+group, group), on("DeregisterTargets", "Targets.member.1.Id=a&TargetGroupArn="+group, group),

		{Operation: "ModifyTrustStore", Input: "CaCertificatesBundleS3Bucket=certs&CaCertificatesBundleS3Key=ca.pem&TrustStoreArn=" + trusted, Needs: []gateway.Need{need("ModifyTrustStore", trusted), object}},
		{Operation: "AddTrustStoreRevocations", Input: "RevocationContents.member.1.S3Bucket=certs&RevocationContents.member.1.S3Key=ca.pem&TrustStoreArn=" + trusted, Needs: []gateway.Need{
			need("AddTrustStoreRevocations", trusted), object,
		}},
		on("DescribeTrustStores", ""), on("DeleteTrustStore", "TrustStoreArn="+trusted, trusted), on("DescribeTrustStoreRevocations", "TrustStoreArn="+trusted),
		on("DescribeTrustStoreAssociations", "TrustStoreArn="+trusted), on("RemoveTrustStoreRevocations", "RevocationIds.member.1=1&TrustStoreArn="+trusted, trusted),
		on("DeleteSharedTrustStoreAssociation", "ResourceArn=a&TrustStoreArn="+trusted, trusted),

		on("AddTags", "ResourceArns.member.1="+web+tagged, web), on("RemoveTags", "TagKeys.member.1=team&ResourceArns.member.1="+web, web),
		on("DescribeTags", "ResourceArns.member.1="+web),
	})
}
