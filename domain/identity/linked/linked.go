// Package linked knows the roles by which AWS's services act in an account: their
// names, their policies and who may become them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
package linked

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/managed"
)

// Services that act by a role of their own.
const (
	ECS               = "ecs.amazonaws.com"
	ECSCompute        = "ecs-compute.amazonaws.com"
	LoadBalancing     = "elasticloadbalancing.amazonaws.com"
	ServiceScaling    = "ecs.application-autoscaling.amazonaws.com"
	TableScaling      = "dynamodb.application-autoscaling.amazonaws.com"
	AutoScaling       = "autoscaling.amazonaws.com"
	ElasticFileSystem = "elasticfilesystem.amazonaws.com"
)

// kind is a sort of service-linked role.
type kind struct {
	service, name, policy, description string
	suffixed                           bool // an account may have several, told apart by a suffix
}

func kinds() []kind {
	return []kind{
		{ECS, "AWSServiceRoleForECS", "AmazonECSServiceRolePolicy", "Role to enable Amazon ECS to manage your cluster.", false},
		{ECSCompute, "AWSServiceRoleForECSCompute", "AmazonECSComputeServiceRolePolicy", "Role to enable Amazon ECS to manage the instances of your clusters.", false},
		{LoadBalancing, "AWSServiceRoleForElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy", "Allows ELB to call AWS services on your behalf.", false},
		{ServiceScaling, "AWSServiceRoleForApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy", "", false},
		{TableScaling, "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", "AWSApplicationAutoscalingDynamoDBTablePolicy", "", false},
		{AutoScaling, "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy", "Default Service-Linked Role enables access to AWS Services and Resources used or managed by Auto Scaling", true},
		{ElasticFileSystem, "AWSServiceRoleForAmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy", "", false},
	}
}

// Wanted says which role is meant.
type Wanted struct {
	Scope       arn.Scope
	Service     string // "ecs.amazonaws.com"
	Suffix      string // only some services have it
	Description string // empty for the service's own
	ID          string // AROA...
	Now         time.Time
}

// Known tells whether the service acts by a role, and whether an account may have
// several of them.
func Known(service string) (known, suffixed bool) {
	for _, k := range kinds() {
		if k.service == service {
			return true, k.suffixed
		}
	}
	return false, false
}

// Name of a service's role.
func Name(service, suffix string) string {
	for _, k := range kinds() {
		if k.service == service && suffix != "" {
			return k.name + "_" + suffix
		}
		if k.service == service {
			return k.name
		}
	}
	return ""
}

// Role is the role of a service that is Known.
func Role(w Wanted) identity.Role {
	r := identity.Role{
		Account: w.Scope.Account, Name: Name(w.Service, w.Suffix), Path: "/aws-service-role/" + w.Service + "/", ID: w.ID,
		Description: w.Description, Trust: trust(w.Service), MaxSession: time.Hour, CreatedAt: w.Now, Service: w.Service,
	}
	r.ARN = w.Scope.Global("iam", "role"+r.Path+r.Name)
	for _, k := range kinds() {
		if k.service == w.Service {
			r.Grants.Attached = []string{managed.ARN("aws-service-role/" + k.policy)}
			if r.Description == "" {
				r.Description = k.description
			}
		}
	}
	return r
}

func trust(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}
