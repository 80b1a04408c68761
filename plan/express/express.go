// Package express makes what stands in front of an Express gateway service (an
// Application balancer that services share, a listener, a rule, target groups, security
// groups) in the transaction that makes the service, and takes it away when the service
// has gone.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html
package express

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// maxShare is how many services share a balancer.
const maxShare = 25

// Tag is on all that is made for Express gateway services, with the value "true".
const Tag = "AmazonECSManaged"

// Tags are those of all that is made.
func Tags() []workload.Tag { return []workload.Tag{{Key: Tag, Value: "true"}} }

// Host is the name that a service is reached under: it begins with two characters of
// the service's own. id is 32 hex digits.
func Host(scope arn.Scope, service, id string) string {
	begin := strings.Map(func(c rune) rune {
		if c == '_' || c == '-' {
			return 'x'
		}
		return c
	}, strings.ToLower(service[:min(2, len(service))]))
	return begin + "-" + id + ".ecs." + scope.Region + ".on.aws"
}

// Need is an action that ECS does for a service as its infrastructure role.
type Need struct{ Action, Resource string }

// Needs are the actions that Make stands for.
func Needs(scope arn.Scope) []Need {
	elb := func(action, resource string) Need {
		return Need{"elasticloadbalancing:" + action, scope.Of("elasticloadbalancing", resource)}
	}
	groups := scope.Of("ec2", "security-group/*")
	return []Need{
		{"ec2:CreateSecurityGroup", groups}, {"ec2:AuthorizeSecurityGroupIngress", groups},
		elb("CreateLoadBalancer", "loadbalancer/app/"+balancerPrefix+"*/*"), elb("CreateListener", "loadbalancer/app/"+balancerPrefix+"*/*"),
		elb("CreateTargetGroup", "targetgroup/"+groupPrefix+"*/*"), elb("CreateRule", "listener/app/"+balancerPrefix+"*/*/*"),
		elb("AddListenerCertificates", "listener/app/"+balancerPrefix+"*/*/*"), {"acm:RequestCertificate", scope.Of("acm", "certificate/*")},
	}
}
