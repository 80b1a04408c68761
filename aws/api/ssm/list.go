package ssm

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// The greatest pages, and what one holds when the caller did not say.
const (
	pageByPath = 10
	pageOfList = 50
)

// cut takes the page of a list in order of its keys that follows a token, and the
// next one's token. An empty token is none.
func cut[T any](list []T, token *string, limit *int32, most int, key func(T) string) ([]T, *string, error) {
	list, next, ok := page.Cut(list, member.Present(member.Value(token)), limit, most, key, false)
	if !ok {
		return nil, nil, fault.New(fault.InvalidNextToken, "The specified token isn't valid.").WithHint("send the NextToken of the page before, or none for the first page")
	}
	return list, next, nil
}

// all yields the parameters of an account and region with their newest version.
func all(r store.Reader, call *gateway.Call) iter.Seq2[*secret.Parameter, *secret.Edition] {
	return func(yield func(*secret.Parameter, *secret.Edition) bool) {
		for p := range store.Parameters.Prefix(r, store.ScopeKey(call.Scope, "")) {
			e, ok := edition(r, p, p.Latest)
			if ok && !e.Expired(call.Now) && !yield(p, e) {
				return
			}
		}
	}
}

func (a *API) getParametersByPath(_ context.Context, call *gateway.Call, in *shape.GetParametersByPathRequest) (*shape.GetParametersByPathResult, error) {
	if err := secret.CheckPath(*in.Path); err != nil {
		return nil, err
	}
	filters, err := readFilters(in.ParameterFilters, "Type", "KeyId", "Label")
	if err != nil {
		return nil, err
	}
	r := a.store.View()
	list, next, err := cut(a.below(r, call, in, filters), in.NextToken, in.MaxResults, pageByPath, found.name)
	if err != nil {
		return nil, err
	}
	out := &shape.GetParametersByPathResult{Parameters: []shape.Parameter{}, NextToken: next}
	for _, f := range list {
		if f.public != nil {
			out.Parameters = append(out.Parameters, *f.public)
			continue
		}
		value, err := a.open(r, f.p, f.e, member.Value(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, *show(f.p, f.e, value, secret.Selector{}))
	}
	return out, nil
}

// found is a parameter of the account, or a public one.
type found struct {
	p      *secret.Parameter
	e      *secret.Edition
	public *shape.Parameter
}

func (f found) name() string {
	if f.public != nil {
		return *f.public.Name
	}
	return f.p.Name
}

// below finds what a path means, in order of name.
func (a *API) below(r store.Reader, call *gateway.Call, in *shape.GetParametersByPathRequest, filters filters) (list []found) {
	for _, p := range publicBelow(call.Scope.Region, *in.Path, member.Value(in.Recursive)) {
		list = append(list, found{public: p})
	}
	for p, e := range all(r, call) {
		if !secret.Below(p.Name, *in.Path, member.Value(in.Recursive)) {
			continue
		}
		if label := filters.label(); label != "" {
			var ok bool
			if e, ok = labelled(r, p, label); !ok {
				continue
			}
		}
		if filters.pass(p, e) {
			list = append(list, found{p: p, e: e})
		}
	}
	return list
}

func (a *API) getParameterHistory(_ context.Context, call *gateway.Call, in *shape.GetParameterHistoryRequest) (*shape.GetParameterHistoryResult, error) {
	r := a.store.View()
	p, err := find(r, call, *in.Name)
	if err != nil {
		return nil, err
	}
	list, next, err := cut(editions(r, p), in.NextToken, in.MaxResults, pageOfList, func(e *secret.Edition) string {
		return strings.Repeat("0", 19-len(strconv.FormatInt(e.Version, 10))) + strconv.FormatInt(e.Version, 10)
	})
	if err != nil {
		return nil, err
	}
	out := &shape.GetParameterHistoryResult{Parameters: []shape.ParameterHistory{}, NextToken: next}
	for _, e := range list {
		value, err := a.open(r, p, e, member.Value(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, shape.ParameterHistory{
			Name: &p.Name, Type: shape.ParameterType(e.Type), KeyId: member.Present(e.Key), LastModifiedDate: &e.ChangedAt, LastModifiedUser: &e.ChangedBy,
			Description: member.Present(e.Description), Value: &value, AllowedPattern: member.Present(e.AllowedPattern), Version: &e.Version, Labels: e.Labels,
			Tier: shape.ParameterTier(e.Tier), Policies: showPolicies(e), DataType: &e.DataType,
		})
	}
	return out, nil
}

func showPolicies(e *secret.Edition) []shape.ParameterInlinePolicy {
	return member.Each(e.Policies, func(p *secret.ParameterPolicy) shape.ParameterInlinePolicy {
		return shape.ParameterInlinePolicy{PolicyText: &p.Text, PolicyType: &p.Type, PolicyStatus: new("Pending")}
	})

}

func (a *API) describeParameters(_ context.Context, call *gateway.Call, in *shape.DescribeParametersRequest) (*shape.DescribeParametersResult, error) {
	filters, err := readAnyFilters(in)
	if err != nil {
		return nil, err
	}
	var passed []found
	for p, e := range all(a.store.View(), call) {
		if filters.pass(p, e) && !member.Value(in.Shared) {
			passed = append(passed, found{p: p, e: e})
		}
	}
	list, next, err := cut(passed, in.NextToken, in.MaxResults, pageOfList, found.name)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeParametersResult{NextToken: next, Parameters: member.Each(list, func(f *found) shape.ParameterMetadata {
		return shape.ParameterMetadata{
			Name: &f.p.Name, ARN: &f.p.ARN, Type: shape.ParameterType(f.e.Type), KeyId: member.Present(f.e.Key), LastModifiedDate: &f.e.ChangedAt,
			LastModifiedUser: &f.e.ChangedBy, Description: member.Present(f.e.Description), AllowedPattern: member.Present(f.e.AllowedPattern), Version: &f.e.Version,
			Tier: shape.ParameterTier(f.e.Tier), Policies: showPolicies(f.e), DataType: &f.e.DataType,
		}
	})}, nil
}
