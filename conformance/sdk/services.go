package sdk

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdkaccount "github.com/aws/aws-sdk-go-v2/service/account"
	sdkacm "github.com/aws/aws-sdk-go-v2/service/acm"
	sdkapplicationautoscaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sdkautoscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	sdkcloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sdklogs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	sdkecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	sdkecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	sdkefs "github.com/aws/aws-sdk-go-v2/service/efs"
	sdkelb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	sdkelbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	sdkevents "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdktagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	sdksecretsmanager "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	sdkservicediscovery "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdkssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	sdksts "github.com/aws/aws-sdk-go-v2/service/sts"

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

// Service pairs a description of ours with the client's package.
type Service struct {
	API    *wire.Service
	Module string // last element of the client's module path
	Client func(aws.Config) any
}

func client[C any, O any](fn func(aws.Config, ...func(*O)) *C) func(aws.Config) any {
	return func(c aws.Config) any { return fn(c) }
}

// Services lists all services that have shapes.
func Services() []Service {
	return []Service{
		{account.API, "account", client(sdkaccount.NewFromConfig)},
		{acm.API, "acm", client(sdkacm.NewFromConfig)},
		{applicationautoscaling.API, "applicationautoscaling", client(sdkapplicationautoscaling.NewFromConfig)},
		{autoscaling.API, "autoscaling", client(sdkautoscaling.NewFromConfig)},
		{cloudwatch.API, "cloudwatch", client(sdkcloudwatch.NewFromConfig)},
		{ec2.API, "ec2", client(sdkec2.NewFromConfig)},
		{ecr.API, "ecr", client(sdkecr.NewFromConfig)},
		{ecs.API, "ecs", client(sdkecs.NewFromConfig)},
		{efs.API, "efs", client(sdkefs.NewFromConfig)},
		{elb.API, "elasticloadbalancing", client(sdkelb.NewFromConfig)},
		{elbv2.API, "elasticloadbalancingv2", client(sdkelbv2.NewFromConfig)},
		{events.API, "eventbridge", client(sdkevents.NewFromConfig)},
		{iam.API, "iam", client(sdkiam.NewFromConfig)},
		{kms.API, "kms", client(sdkkms.NewFromConfig)},
		{logs.API, "cloudwatchlogs", client(sdklogs.NewFromConfig)},
		{resourcegroupstaggingapi.API, "resourcegroupstaggingapi", client(sdktagging.NewFromConfig)},
		{secretsmanager.API, "secretsmanager", client(sdksecretsmanager.NewFromConfig)},
		{servicediscovery.API, "servicediscovery", client(sdkservicediscovery.NewFromConfig)},
		{ssm.API, "ssm", client(sdkssm.NewFromConfig)},
		{sts.API, "sts", client(sdksts.NewFromConfig)},
	}
}

func directory() *wire.Directory {
	var apis []*wire.Service
	for _, s := range Services() {
		apis = append(apis, s.API)
	}
	return wire.NewDirectory(apis...)
}
