package ecs

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// maxRollouts is how many service deployments or revisions one call describes.
const maxRollouts = 20

func rolloutNotFound() *fault.Fault {
	return fault.New(fault.ServiceDeploymentNotFound, "The service deployment ARN that you specified isn't found.").
		WithHint("ListServiceDeployments shows those of a service")
}

func checkRefs(scope arn.Scope, kind string, refs []string) error {
	if len(refs) == 0 {
		return invalid("%s ARNs can not be empty.", kind)
	}
	if len(refs) > maxRollouts {
		return invalid("%s ARNs can have at most %d items.", kind, maxRollouts)
	}
	for _, ref := range refs {
		if a, err := arn.Parse(ref); err != nil || a.Service != "ecs" || a.Kind() != kind || a.Scope() != scope {
			return invalid("Invalid identifier: Unexpected resource '%s'.", ref)
		}
	}
	return nil
}

func (a *API) describeServiceDeployments(_ context.Context, call *gateway.Call, in *ecs.DescribeServiceDeploymentsRequest) (*ecs.DescribeServiceDeploymentsResponse, error) {
	if err := checkRefs(call.Scope, "service-deployment", in.ServiceDeploymentArns); err != nil {
		return nil, err
	}
	v := a.store.View()
	out := &ecs.DescribeServiceDeploymentsResponse{ServiceDeployments: []ecs.ServiceDeployment{}, Failures: []ecs.Failure{}}
	for _, ref := range in.ServiceDeploymentArns {
		if r, ok := store.Rollouts.Get(v, ref); ok {
			out.ServiceDeployments = append(out.ServiceDeployments, *showRollout(v, r))
			continue
		}
		out.Failures = append(out.Failures, failure(ref, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) listServiceDeployments(_ context.Context, call *gateway.Call, in *ecs.ListServiceDeploymentsRequest) (*ecs.ListServiceDeploymentsResponse, error) {
	page, err := readPage(in.NextToken, orSize(in.MaxResults, maxRollouts))
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	s, err := findService(v, c, member.Value(in.Service))
	if err != nil {
		return nil, err
	}
	newest := filter(store.Rollouts.ByDescending(v, store.RolloutsByService, s.ARN), func(r *service.Rollout) bool {
		rank := r.CreatedAt.UnixNano()
		before := page.after.Key == "" || rank < page.after.Rank || rank == page.after.Rank && r.ARN < page.after.Key
		return before && matchesRollout(in, r)
	})
	found, next := fill(page, newest, func(r *service.Rollout) cursor { return cursor{Rank: r.CreatedAt.UnixNano(), Key: r.ARN} })
	return &ecs.ListServiceDeploymentsResponse{ServiceDeployments: member.Each(found, func(r **service.Rollout) ecs.ServiceDeploymentBrief { return showBrief(*r) }), NextToken: next}, nil
}

func matchesRollout(in *ecs.ListServiceDeploymentsRequest, r *service.Rollout) bool {
	if len(in.Status) > 0 && !slices.Contains(in.Status, ecs.ServiceDeploymentStatus(r.Status)) {
		return false
	}
	t := in.CreatedAt
	return t == nil || (t.Before == nil || r.CreatedAt.Before(*t.Before)) && (t.After == nil || r.CreatedAt.After(*t.After))
}

func (a *API) describeServiceRevisions(_ context.Context, call *gateway.Call, in *ecs.DescribeServiceRevisionsRequest) (*ecs.DescribeServiceRevisionsResponse, error) {
	if err := checkRefs(call.Scope, "service-revision", in.ServiceRevisionArns); err != nil {
		return nil, err
	}
	v := a.store.View()
	out := &ecs.DescribeServiceRevisionsResponse{ServiceRevisions: []ecs.ServiceRevision{}, Failures: []ecs.Failure{}}
	for _, ref := range in.ServiceRevisionArns {
		if r, ok := store.ServiceRevisions.Get(v, ref); ok {
			out.ServiceRevisions = append(out.ServiceRevisions, *showRevision(v, r))
			continue
		}
		out.Failures = append(out.Failures, failure(ref, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) stopServiceDeployment(ctx context.Context, call *gateway.Call, in *ecs.StopServiceDeploymentRequest) (*ecs.StopServiceDeploymentResponse, error) {
	key := member.Value(in.ServiceDeploymentArn)
	if err := checkRefs(call.Scope, "service-deployment", []string{key}); err != nil {
		return nil, err
	}
	status := service.RollbackRequested
	switch in.StopType {
	case "", ecs.StopServiceDeploymentStopTypeRollback:
	case ecs.StopServiceDeploymentStopTypeAbort:
		status = service.StopRequested
	default:
		return nil, invalid("stopType should be one of [ABORT,ROLLBACK]")
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Rollouts.Get(tx, key)
		if !ok {
			return rolloutNotFound()
		}
		switch have.Status {
		case status:
			return nil
		case service.Pending, service.RolloutInProgress:
		default:
			return fault.New(fault.Conflict, "The service deployment %s cannot be stopped because its status is %s.", key, have.Status)
		}
		next := *have
		next.Status, next.UpdatedAt = status, call.Now
		store.Rollouts.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopServiceDeploymentResponse{ServiceDeploymentArn: &key}, nil
}
