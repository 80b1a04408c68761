package server

import (
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/account"
	"github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/aws/shape/applicationautoscaling"
	"github.com/berthhq/berth/aws/shape/autoscaling"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/efs"
	"github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/shape/resourcegroupstaggingapi"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/aws/wire"
)

// answers are what a service's handlers do, and what their callers must be allowed.
type answers struct {
	operations map[string]gateway.Handler
	needs      map[string]gateway.Needs // nil: each operation needs itself
}

// of are the answers of an API.
func of(api interface {
	Operations() map[string]gateway.Handler
}) answers {
	a := answers{operations: api.Operations()}
	if needing, ok := api.(interface {
		Needs() map[string]gateway.Needs
	}); ok {
		a.needs = needing.Needs()
	}
	return a
}

// offers lists every service whose shapes we have. One without handlers answers
// each of its operations with the error that says so.
func offers(by map[string]answers) []gateway.Offer {
	var out []gateway.Offer
	for _, service := range []*wire.Service{
		ecs.API,
		ec2.API,
		elbv2.API,
		elb.API,
		efs.API,
		iam.API,
		sts.API,
		ecr.API,
		logs.API,
		cloudwatch.API,
		ssm.API,
		secretsmanager.API,
		kms.API,
		acm.API,
		events.API,
		autoscaling.API,
		applicationautoscaling.API,
		servicediscovery.API,
		resourcegroupstaggingapi.API,
		account.API,
	} {
		out = append(out, gateway.Offer{Service: service, Handlers: by[service.Name].operations, Needs: by[service.Name].needs})
	}
	return out
}
