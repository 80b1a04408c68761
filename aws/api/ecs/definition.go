package ecs

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxDefinitionSize is AWS's limit of a definition, in bytes.
const maxDefinitionSize = 65536

func (a *API) registerTaskDefinition(ctx context.Context, call *gateway.Call, in *ecs.RegisterTaskDefinitionRequest) (*ecs.RegisterTaskDefinitionResponse, error) {
	d, err := prepareDefinition(call, in, false)
	if err != nil {
		return nil, err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		putDefinition(tx, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &ecs.RegisterTaskDefinitionResponse{TaskDefinition: showDefinition(d)}
	if len(d.Tags) > 0 {
		out.Tags = showTags(d.Tags)
	}
	return out, nil
}

// putDefinition gives a definition the next revision of its family, and stores it.
func putDefinition(tx *store.Tx, d *workload.Definition) {
	family := workload.Family{Scope: d.Scope, Name: d.Family}
	if have, ok := store.Families.Get(tx, family.Key()); ok {
		family = *have
	}
	family.LastRevision++
	d.Revision = family.LastRevision
	d.ARN = d.Scope.TaskDefinition(d.Family, d.Revision)
	store.Families.Put(tx, &family)
	store.TaskDefinitions.Put(tx, d)
}

func prepareDefinition(call *gateway.Call, in *ecs.RegisterTaskDefinitionRequest, ofDaemon bool) (*workload.Definition, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	for i := range in.ContainerDefinitions {
		if err := checkSharing(in.ContainerDefinitions[i].ResourceRequirements); err != nil {
			return nil, err
		}
	}
	d := readDefinition(call, in)
	d.Tags, d.Daemon = tags, ofDaemon
	if data, _ := json.Marshal(d); len(data) > maxDefinitionSize { // plain data always marshals
		return nil, client("Actual length: '%d'. Max allowed length is '%d' bytes.", len(data), maxDefinitionSize)
	}
	for _, role := range []string{d.TaskRoleARN, d.ExecutionRoleARN} {
		if a, err := arn.Parse(role); role != "" && (err != nil || a.Service != "iam" || a.Kind() != "role") {
			return nil, client("Role is not valid")
		}
	}
	if err := workload.Prepare(d); err != nil {
		return nil, err
	}
	for _, c := range d.PlacementConstraints {
		if _, err := cluster.ParseQuery(c.Expression); err != nil {
			return nil, client("Invalid expression '%s': %v", c.Expression, err)
		}
	}
	return d, nil
}

// checkSharing refuses to share a GPU: a container has the whole of each.
func checkSharing(reqs []ecs.ResourceRequirement) error {
	if slices.ContainsFunc(reqs, func(r ecs.ResourceRequirement) bool { return r.SharingStrategy != nil }) {
		return fault.New(fault.UnsupportedFeature, "GPU sharing strategies are not supported yet.").WithHint("leave sharingStrategy out: the container gets whole GPUs")
	}
	return nil
}

// revision is a reference to a definition. Number is 0 for the latest active one
// of the family.
type revision struct {
	family string
	number int
}

// readRevision reads FAMILY, FAMILY:REVISION or an ARN. A family of another
// account or region does not exist here.
func readRevision(scope arn.Scope, ref string) (revision, error) {
	if arn.IsARN(ref) {
		a, err := arn.Parse(ref)
		if err != nil || a.Service != "ecs" || a.Kind() != "task-definition" || a.Scope() != scope {
			return revision{}, client("Unable to describe task definition.")
		}
		ref = strings.TrimPrefix(a.Resource, "task-definition/")
	}
	family, number, found := strings.Cut(ref, ":")
	if !found {
		return revision{family: family}, nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return revision{}, invalid("Invalid revision number. Number: %s", number)
	}
	return revision{family, n}, nil
}

// findDefinition finds what a reference means; false when it means nothing.
func findDefinition(r store.Reader, scope arn.Scope, ref revision) (*workload.Definition, bool) {
	if ref.number > 0 {
		return store.TaskDefinitions.Get(r, scope.TaskDefinition(ref.family, ref.number))
	}
	for d := range store.TaskDefinitions.ByDescending(r, store.TaskDefinitionsByFamily, workload.FamilyKey(scope, ref.family)) {
		if d.Status == workload.Active {
			return d, true
		}
	}
	return nil, false
}

func (a *API) describeTaskDefinition(_ context.Context, call *gateway.Call, in *ecs.DescribeTaskDefinitionRequest) (*ecs.DescribeTaskDefinitionResponse, error) {
	ref, err := readRevision(call.Scope, member.Value(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	d, ok := findDefinition(a.store.View(), call.Scope, ref)
	if !ok {
		return nil, client("Unable to describe task definition.")
	}
	out := &ecs.DescribeTaskDefinitionResponse{TaskDefinition: showDefinition(d)}
	if contains(in.Include, ecs.TaskDefinitionFieldTags) {
		out.Tags = showTags(d.Tags)
	}
	return out, nil
}

func (a *API) deregisterTaskDefinition(ctx context.Context, call *gateway.Call, in *ecs.DeregisterTaskDefinitionRequest) (*ecs.DeregisterTaskDefinitionResponse, error) {
	ref, err := readRevision(call.Scope, member.Value(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	if ref.number == 0 {
		return nil, client("Revision is missing.")
	}
	var next workload.Definition
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := findDefinition(tx, call.Scope, ref)
		if !ok {
			return client("The specified task definition does not exist.")
		}
		next = *have
		if next.Status == workload.Active {
			next.Status, next.DeregisteredAt = workload.Inactive, call.Now
			store.TaskDefinitions.Put(tx, &next)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterTaskDefinitionResponse{TaskDefinition: showDefinition(&next)}, nil
}

func (a *API) deleteTaskDefinitions(ctx context.Context, call *gateway.Call, in *ecs.DeleteTaskDefinitionsRequest) (*ecs.DeleteTaskDefinitionsResponse, error) {
	switch n := len(in.TaskDefinitions); {
	case n == 0:
		return nil, invalid("size of TaskDefinition references list must be greater than 0")
	case n > 10:
		return nil, invalid("Size of TaskDefinition references list cannot exceed 10")
	}
	out := &ecs.DeleteTaskDefinitionsResponse{TaskDefinitions: []ecs.TaskDefinition{}, Failures: []ecs.Failure{}}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		for _, ref := range in.TaskDefinitions {
			d, why := requestDelete(tx, call, ref)
			if why != "" {
				out.Failures = append(out.Failures, failure(ref, why, ""))
				continue
			}
			out.TaskDefinitions = append(out.TaskDefinitions, *showDefinition(d))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// requestDelete marks an inactive revision for deletion; reap deletes it when no
// task refers to it any more.
func requestDelete(tx *store.Tx, call *gateway.Call, text string) (d *workload.Definition, why string) {
	ref, err := readRevision(call.Scope, text)
	if err != nil || ref.number == 0 {
		return nil, "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
	}
	have, ok := findDefinition(tx, call.Scope, ref)
	switch {
	case !ok:
		return nil, "The specified task definition does not exist. Specify a valid account, family, revision and try again."
	case have.Status == workload.Active:
		return nil, "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
	case have.Status == workload.DeleteInProgress:
		return have, ""
	}
	next := *have
	next.Status, next.DeleteRequestedAt = workload.DeleteInProgress, call.Now
	store.TaskDefinitions.Put(tx, &next)
	return &next, ""
}

// definitions lists the revisions of a scope with a status, of one family or of
// all, in order of family and revision number.
func definitions(r store.Reader, scope arn.Scope, family string, status workload.DefinitionStatus) []*workload.Definition {
	var out []*workload.Definition
	for d := range store.TaskDefinitions.Prefix(r, strings.TrimSuffix(scope.TaskDefinition(family, 0), ":0")) {
		if d.Status == status && (family == "" || d.Family == family) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *workload.Definition) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Revision, b.Revision))
	})
	return out
}

func (a *API) listTaskDefinitions(_ context.Context, call *gateway.Call, in *ecs.ListTaskDefinitionsRequest) (*ecs.ListTaskDefinitionsResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	status := cmp.Or(workload.DefinitionStatus(in.Status), workload.Active)
	if !slices.Contains([]workload.DefinitionStatus{workload.Active, workload.Inactive, workload.DeleteInProgress}, status) {
		return nil, invalid("status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]")
	}
	if in.Sort != "" && in.Sort != ecs.SortOrderAsc && in.Sort != ecs.SortOrderDesc {
		return nil, invalid("sort should be one of [ASC,DESC]")
	}
	list, sign := definitions(a.store.View(), call.Scope, member.Value(in.FamilyPrefix), status), 1
	if in.Sort == ecs.SortOrderDesc {
		slices.Reverse(list)
		sign = -1
	}
	following := filter(slices.Values(list), func(d *workload.Definition) bool {
		return page.after.Key == "" || sign*cmp.Or(cmp.Compare(d.Family, page.after.Key), cmp.Compare(int64(d.Revision), page.after.Rank)) > 0
	})
	found, next := fill(page, following, func(d *workload.Definition) cursor { return cursor{Rank: int64(d.Revision), Key: d.Family} })
	return &ecs.ListTaskDefinitionsResponse{
		TaskDefinitionArns: member.Each(found, func(d **workload.Definition) string { return (*d).ARN }), NextToken: next,
	}, nil
}

func (a *API) listTaskDefinitionFamilies(_ context.Context, call *gateway.Call, in *ecs.ListTaskDefinitionFamiliesRequest) (*ecs.ListTaskDefinitionFamiliesResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	status := cmp.Or(in.Status, ecs.TaskDefinitionFamilyStatusActive)
	if !slices.Contains(status.Values(), string(status)) {
		return nil, invalid("status should be one of [ACTIVE,INACTIVE,ALL]")
	}
	v := a.store.View()
	families := filter(store.Families.Prefix(v, workload.FamilyKey(call.Scope, member.Value(in.FamilyPrefix))), func(f *workload.Family) bool {
		return f.Name > page.after.Key && familyIs(v, f, status)
	})
	found, next := fill(page, families, func(f *workload.Family) cursor { return cursor{Key: f.Name} })
	return &ecs.ListTaskDefinitionFamiliesResponse{
		Families: member.Each(found, func(f **workload.Family) string { return (*f).Name }), NextToken: next,
	}, nil
}

// familyIs tells whether a family has the status: ACTIVE with at least one active
// revision, INACTIVE with others only. One whose revisions are all deleted is
// not shown.
func familyIs(r store.Reader, f *workload.Family, status ecs.TaskDefinitionFamilyStatus) bool {
	is := ecs.TaskDefinitionFamilyStatus("")
	for d := range store.TaskDefinitions.ByDescending(r, store.TaskDefinitionsByFamily, f.Key()) {
		if is = ecs.TaskDefinitionFamilyStatusInactive; d.Status == workload.Active {
			is = ecs.TaskDefinitionFamilyStatusActive
			break
		}
	}
	return is != "" && (status == ecs.TaskDefinitionFamilyStatusAll || status == is)
}
