package ecs

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/store"
)

func (a *API) describeDaemonDeployments(_ context.Context, call *gateway.Call, in *ecs.DescribeDaemonDeploymentsRequest) (*ecs.DescribeDaemonDeploymentsResponse, error) {
	if err := checkRefs(call.Scope, "daemon-deployment", in.DaemonDeploymentArns); err != nil {
		return nil, err
	}
	v := a.store.View()
	out := &ecs.DescribeDaemonDeploymentsResponse{DaemonDeployments: []ecs.DaemonDeployment{}, Failures: []ecs.Failure{}}
	for _, ref := range in.DaemonDeploymentArns {
		if d, ok := store.DaemonDeployments.Get(v, ref); ok {
			out.DaemonDeployments = append(out.DaemonDeployments, showDaemonDeployment(v, d))
			continue
		}
		out.Failures = append(out.Failures, failure(ref, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) listDaemonDeployments(_ context.Context, call *gateway.Call, in *ecs.ListDaemonDeploymentsRequest) (*ecs.ListDaemonDeploymentsResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	d, err := findDaemon(v, call.Scope, member.Value(in.DaemonArn))
	if err != nil {
		return nil, err
	}
	newest := filter(store.DaemonDeployments.ByDescending(v, store.DaemonDeploymentsByDaemon, d.ARN), func(x *daemon.Deployment) bool {
		rank := x.CreatedAt.UnixNano()
		before := page.after.Key == "" || rank < page.after.Rank || rank == page.after.Rank && x.ARN < page.after.Key
		return before && matchesDaemonDeployment(in, x)
	})
	found, next := fill(page, newest, func(x *daemon.Deployment) cursor { return cursor{Rank: x.CreatedAt.UnixNano(), Key: x.ARN} })
	return &ecs.ListDaemonDeploymentsResponse{
		DaemonDeployments: member.Each(found, func(x **daemon.Deployment) ecs.DaemonDeploymentSummary { return showDaemonDeploymentSummary(*x) }), NextToken: next,
	}, nil
}

func matchesDaemonDeployment(in *ecs.ListDaemonDeploymentsRequest, d *daemon.Deployment) bool {
	if len(in.Status) > 0 && !slices.Contains(in.Status, ecs.DaemonDeploymentStatus(d.Status)) {
		return false
	}
	t := in.CreatedAt
	return t == nil || (t.Before == nil || d.CreatedAt.Before(*t.Before)) && (t.After == nil || d.CreatedAt.After(*t.After))
}

func (a *API) describeDaemonRevisions(_ context.Context, call *gateway.Call, in *ecs.DescribeDaemonRevisionsRequest) (*ecs.DescribeDaemonRevisionsResponse, error) {
	if err := checkRefs(call.Scope, "daemon-revision", in.DaemonRevisionArns); err != nil {
		return nil, err
	}
	v := a.store.View()
	out := &ecs.DescribeDaemonRevisionsResponse{DaemonRevisions: []ecs.DaemonRevision{}, Failures: []ecs.Failure{}}
	for _, ref := range in.DaemonRevisionArns {
		if r, ok := store.DaemonRevisions.Get(v, ref); ok {
			out.DaemonRevisions = append(out.DaemonRevisions, showDaemonRevision(v, r))
			continue
		}
		out.Failures = append(out.Failures, failure(ref, reasonMissing, ""))
	}
	return out, nil
}
