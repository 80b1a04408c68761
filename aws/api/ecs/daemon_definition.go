package ecs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// registerDaemonTaskDefinition registers a template of daemons. Its containers run
// in bridge mode: AWS's daemon_bridge, by which tasks reach a daemon at an address
// of the link, comes with later work.
func (a *API) registerDaemonTaskDefinition(ctx context.Context, call *gateway.Call, in *ecs.RegisterDaemonTaskDefinitionRequest) (*ecs.RegisterDaemonTaskDefinitionResponse, error) {
	same, err := daemonDefinition(in)
	if err != nil {
		return nil, err
	}
	d, err := prepareDefinition(call, same, true)
	if err != nil {
		return nil, err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		family := workload.Family{Scope: call.Scope, Name: d.Family}
		if have, ok := store.DaemonFamilies.Get(tx, family.Key()); ok {
			family = *have
		}
		family.LastRevision++
		d.Revision = family.LastRevision
		d.ARN = call.Scope.DaemonTaskDefinition(d.Family, d.Revision)
		store.DaemonFamilies.Put(tx, &family)
		store.TaskDefinitions.Put(tx, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterDaemonTaskDefinitionResponse{DaemonTaskDefinitionArn: &d.ARN}, nil
}

// findDaemonDefinition finds what FAMILY, FAMILY:REVISION or an ARN means.
func findDaemonDefinition(r store.Reader, scope arn.Scope, ref string) (*workload.Definition, error) {
	missing := client("Unable to describe daemon task definition.").WithHint("`aws ecs list-daemon-task-definitions` lists those there are")
	if arn.IsARN(ref) {
		a, err := arn.Parse(ref)
		if err != nil || a.Service != "ecs" || a.Kind() != "daemon-task-definition" || a.Scope() != scope {
			return nil, missing
		}
		ref = a.Name()
	}
	at, err := readRevision(scope, ref)
	if err != nil {
		return nil, err
	}
	if at.number > 0 {
		if d, ok := store.TaskDefinitions.Get(r, scope.DaemonTaskDefinition(at.family, at.number)); ok {
			return d, nil
		}
		return nil, missing
	}
	for d := range store.TaskDefinitions.ByDescending(r, store.DaemonDefinitionsByFamily, workload.FamilyKey(scope, at.family)) {
		if d.Status == workload.Active {
			return d, nil
		}
	}
	return nil, missing
}

func (a *API) describeDaemonTaskDefinition(_ context.Context, call *gateway.Call, in *ecs.DescribeDaemonTaskDefinitionRequest) (*ecs.DescribeDaemonTaskDefinitionResponse, error) {
	d, err := findDaemonDefinition(a.store.View(), call.Scope, member.Value(in.DaemonTaskDefinition))
	if err != nil {
		return nil, err
	}
	return &ecs.DescribeDaemonTaskDefinitionResponse{DaemonTaskDefinition: showDaemonDefinition(d)}, nil
}

// deleteDaemonTaskDefinition marks a revision for deletion; it goes when no daemon
// has it any more.
func (a *API) deleteDaemonTaskDefinition(ctx context.Context, call *gateway.Call, in *ecs.DeleteDaemonTaskDefinitionRequest) (*ecs.DeleteDaemonTaskDefinitionResponse, error) {
	ref := member.Value(in.DaemonTaskDefinition)
	if !strings.Contains(ref, ":") {
		return nil, client("Revision is missing.")
	}
	var next workload.Definition
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findDaemonDefinition(tx, call.Scope, ref)
		if err != nil {
			return err
		}
		if have.Status != workload.Active {
			return client("The specified daemon task definition is not in the ACTIVE state.")
		}
		next = *have
		next.Status, next.DeleteRequestedAt = workload.DeleteInProgress, call.Now
		store.TaskDefinitions.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteDaemonTaskDefinitionResponse{DaemonTaskDefinitionArn: &next.ARN}, nil
}

func (a *API) listDaemonTaskDefinitions(_ context.Context, call *gateway.Call, in *ecs.ListDaemonTaskDefinitionsRequest) (*ecs.ListDaemonTaskDefinitionsResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	if err := checkDaemonDefinitionFilter(in); err != nil {
		return nil, err
	}
	list, sign := daemonDefinitions(a.store.View(), call.Scope, in), 1
	if in.Sort == ecs.SortOrderDesc {
		slices.Reverse(list)
		sign = -1
	}
	following := filter(slices.Values(list), func(d *workload.Definition) bool {
		return page.after.Key == "" || sign*cmp.Or(cmp.Compare(d.Family, page.after.Key), cmp.Compare(int64(d.Revision), page.after.Rank)) > 0
	})
	found, next := fill(page, following, func(d *workload.Definition) cursor { return cursor{Rank: int64(d.Revision), Key: d.Family} })
	return &ecs.ListDaemonTaskDefinitionsResponse{DaemonTaskDefinitions: member.Each(found, func(d **workload.Definition) ecs.DaemonTaskDefinitionSummary {
		return ecs.DaemonTaskDefinitionSummary{
			Arn: &(*d).ARN, RegisteredAt: member.Time((*d).RegisteredAt), RegisteredBy: member.Present((*d).RegisteredBy),
			DeleteRequestedAt: member.Time((*d).DeleteRequestedAt), Status: ecs.DaemonTaskDefinitionStatus((*d).Status),
		}
	}),

		NextToken: next}, nil
}

func checkDaemonDefinitionFilter(in *ecs.ListDaemonTaskDefinitionsRequest) error {
	switch {
	case in.Status != "" && !slices.Contains(in.Status.Values(), string(in.Status)):
		return invalid("status should be one of [ACTIVE,DELETE_IN_PROGRESS,ALL]")
	case in.Sort != "" && !slices.Contains(in.Sort.Values(), string(in.Sort)):
		return invalid("sort should be one of [ASC,DESC]")
	case in.Revision != "" && in.Revision != ecs.DaemonTaskDefinitionRevisionFilterLastRegistered:
		return invalid("revision should be one of [LAST_REGISTERED]")
	case in.Family != nil && in.FamilyPrefix != nil:
		return invalid("Only one of family and familyPrefix can be specified.")
	}
	return nil
}

// daemonDefinitions lists the revisions that the filters leave, in order of family
// and revision number.
func daemonDefinitions(r store.Reader, scope arn.Scope, in *ecs.ListDaemonTaskDefinitionsRequest) []*workload.Definition {
	status := cmp.Or(in.Status, ecs.DaemonTaskDefinitionStatusFilterActive)
	var out []*workload.Definition
	for d := range store.TaskDefinitions.Prefix(r, strings.TrimSuffix(scope.DaemonTaskDefinition(member.Value(in.FamilyPrefix), 0), ":0")) {
		if status != ecs.DaemonTaskDefinitionStatusFilterAll && string(d.Status) != string(status) || in.Family != nil && d.Family != *in.Family {
			continue
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *workload.Definition) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Revision, b.Revision))
	})
	if in.Revision == "" {
		return out
	}
	var last []*workload.Definition
	for i, d := range out {
		if i+1 == len(out) || out[i+1].Family != d.Family {
			last = append(last, d)
		}
	}
	return last
}
