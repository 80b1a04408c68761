package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *ecs.TagResourceRequest) (*ecs.TagResourceResponse, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("Tags can not be empty.")
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = a.changeTags(ctx, call, member.Value(in.ResourceArn), func(have []workload.Tag) ([]workload.Tag, error) {
		merged := workload.SetTags(have, tags)
		return merged, checkTagCount(merged)
	})
	return &ecs.TagResourceResponse{}, err
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *ecs.UntagResourceRequest) (*ecs.UntagResourceResponse, error) {
	reserved := func(key string) bool { return strings.HasPrefix(strings.ToLower(key), reservedPrefix) }
	if slices.ContainsFunc(in.TagKeys, reserved) {
		return nil, invalid("Tag keys beginning with '%s' are reserved for system use.", reservedPrefix)
	}
	err := a.changeTags(ctx, call, member.Value(in.ResourceArn), func(have []workload.Tag) ([]workload.Tag, error) {
		return workload.WithoutTags(have, in.TagKeys), nil
	})
	return &ecs.UntagResourceResponse{}, err
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *ecs.ListTagsForResourceRequest) (*ecs.ListTagsForResourceResponse, error) {
	found, err := findTagged(a.store.View(), call.Scope, member.Value(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceResponse{Tags: showTags(found.tags)}, nil
}

func (a *API) changeTags(ctx context.Context, call *gateway.Call, resource string, change func([]workload.Tag) ([]workload.Tag, error)) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		found, err := findTagged(tx, call.Scope, resource)
		if err != nil {
			return err
		}
		next, err := change(found.tags)
		if err != nil {
			return err
		}
		found.put(tx, next)
		return nil
	})
	return err
}

// tagged is a resource with tags.
type tagged struct {
	tags []workload.Tag
	put  func(*store.Tx, []workload.Tag)
}

func findTagged(r store.Reader, scope arn.Scope, resource string) (*tagged, error) {
	a, err := arn.Parse(resource)
	if err != nil || a.Service != "ecs" {
		return nil, invalid("The ARN provided is invalid.")
	}
	if a.Scope() != scope {
		return nil, fault.New(fault.AccessDenied, "The resource %s belongs to another account or region.", resource)
	}
	switch a.Kind() {
	case "cluster":
		return taggedCluster(r, resource)
	case "daemon":
		return taggedDaemon(r, resource)
	case "task-definition", "daemon-task-definition":
		return taggedDefinition(r, resource)
	case "service":
		return taggedService(r, resource)
	case "task-set":
		return taggedSet(r, resource)
	case "task":
		return taggedTask(r, resource)
	case "capacity-provider":
		return taggedProvider(r, resource)
	case "container-instance":
		return taggedInstance(r, resource)
	}
	return nil, invalid("The specified resource type '%s' can not be tagged.", a.Kind())
}

func taggedCluster(r store.Reader, key string) (*tagged, error) {
	have, ok := store.Clusters.Get(r, key)
	if !ok || have.Status != cluster.Active {
		return nil, clusterNotFound()
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		store.Clusters.Put(tx, &next)
	}}, nil
}

func taggedDefinition(r store.Reader, key string) (*tagged, error) {
	have, ok := store.TaskDefinitions.Get(r, key)
	if !ok {
		return nil, client("The specified task definition does not exist.")
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		store.TaskDefinitions.Put(tx, &next)
	}}, nil
}

func taggedDaemon(r store.Reader, key string) (*tagged, error) {
	have, ok := store.Daemons.Get(r, key)
	if !ok {
		return nil, daemonNotFound()
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		next.Version++
		store.Daemons.Put(tx, &next)
	}}, nil
}

func taggedProvider(r store.Reader, key string) (*tagged, error) {
	have, ok := store.CapacityProviders.Get(r, key)
	if !ok || have.Status != cluster.Active {
		return nil, invalid("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		store.CapacityProviders.Put(tx, &next)
	}}, nil
}

func taggedService(r store.Reader, key string) (*tagged, error) {
	have, ok := store.Services.Get(r, key)
	if !ok || have.Status != service.Active {
		return nil, serviceNotFound()
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		next.Version++
		store.Services.Put(tx, &next)
	}}, nil
}

func taggedSet(r store.Reader, key string) (*tagged, error) {
	have, ok := store.TaskSets.Get(r, key)
	if !ok {
		return nil, taskSetNotFound()
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		store.TaskSets.Put(tx, &next)
		if s, ok := store.Services.Get(tx, have.ServiceARN); ok {
			of := *s
			of.Version++
			store.Services.Put(tx, &of)
		}
	}}, nil
}

func taggedTask(r store.Reader, key string) (*tagged, error) {
	have, ok := store.Tasks.Get(r, key)
	switch {
	case !ok:
		return nil, invalid("The specified task is not found. Specify a valid task and try again.")
	case have.LastStatus() == task.Stopped:
		return nil, invalid("The specified task is stopped. Specify a running task and try again.")
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		next.Version++
		store.Tasks.Put(tx, &next)
	}}, nil
}

func taggedInstance(r store.Reader, key string) (*tagged, error) {
	have, ok := store.Instances.Get(r, key)
	if !ok || !have.OffersEC2 || !have.DeregisteredAt.IsZero() {
		return nil, invalid("The specified container instance is not active. Specify an active container instance and try again.")
	}
	return &tagged{have.Tags, func(tx *store.Tx, tags []workload.Tag) {
		next := *have
		next.Tags = tags
		next.Version++
		store.Instances.Put(tx, &next)
	}}, nil
}

// TagsOf are the tags of a resource of ECS; ok is false when there is none such.
func TagsOf(r store.Reader, resource arn.ARN) (tags []workload.Tag, ok bool) {
	found, err := findTagged(r, resource.Scope(), resource.String())
	if err != nil {
		return nil, false
	}
	return found.tags, true
}
