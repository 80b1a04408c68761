package server

import (
	"strings"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/aws/api/servicediscovery"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// groups finds log groups.
type groups interface {
	Group(scope arn.Scope, name string) (telemetry.Group, error)
}

// Tags implements access.Resources.
func (r resources) Tags(resource string) ([]workload.Tag, bool) {
	a, err := arn.Parse(resource)
	if err != nil {
		return nil, false
	}
	v := r.store.View()
	switch a.Service {
	case "ecs":
		return ecs.TagsOf(v, a)
	case "ec2":
		return ec2.TagsOf(v, a)
	case "elasticloadbalancing":
		if b, ok := store.Balancers.Get(v, resource); ok {
			return b.Tags, true // a Classic one as well
		}
		return elbv2.TagsOf(v, a)
	case "events":
		return events.TagsOf(v, a)
	case "servicediscovery":
		return servicediscovery.TagsOf(v, a)
	case "iam":
		return iam.TagsOf(v, a)
	case "ecr":
		if found, ok := store.Repositories.Get(v, resource); ok {
			return tagList(found.Tags), true
		}
	case "cloudwatch":
		if name, ok := alarm.NameIn(a); ok {
			if found, ok := store.Alarms.Get(v, alarm.Key(a.Scope(), name)); ok {
				return tagList(found.Tags), true
			}
		}
	case "logs":
		return r.groupTags(a)
	case "secretsmanager", "ssm", "kms", "acm":
		return store.ResourceTags(v, resource)
	}
	return nil, false
}

// groupTags are those of the group of a log group's or stream's ARN.
func (r resources) groupTags(a arn.ARN) ([]workload.Tag, bool) {
	name, ok := strings.CutPrefix(a.Resource, "log-group:")
	if !ok {
		return nil, false
	}
	name, _, _ = strings.Cut(name, ":")
	found, err := r.groups.Group(a.Scope(), name)
	return tagList(found.Tags), err == nil
}

func tagList(tags map[string]string) []workload.Tag {
	out := make([]workload.Tag, 0, len(tags))
	for key, value := range tags {
		out = append(out, workload.Tag{Key: key, Value: value})
	}
	return out
}
