package ssm

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// split takes NAME[:VERSION|:LABEL] or the same after parameter/ in an ARN apart.
func split(text string) (name string, s secret.Selector) {
	a, err := arn.Parse(text)
	if err != nil {
		return secret.Select(text)
	}
	a.Resource, s = secret.Select(a.Resource)
	return a.String(), s
}

// find finds a parameter by name or ARN, without a selector.
func find(r store.Reader, call *gateway.Call, name string) (*secret.Parameter, error) {
	if a, err := arn.Parse(name); err == nil && a.Region != call.Scope.Region {
		return nil, notFound(name)
	}
	p, ok := store.FindParameter(r, call.Scope, name)
	if !ok {
		return nil, notFound(name)
	}
	if e, ok := edition(r, p, p.Latest); !ok || e.Expired(call.Now) {
		return nil, notFound(name)
	}
	return p, nil
}

func edition(r store.Reader, p *secret.Parameter, version int64) (*secret.Edition, bool) {
	return store.Editions.Get(r, store.EditionKey(p.Scope, p.Name, version))
}

// editions are the versions of a parameter, oldest first.
func editions(r store.Reader, p *secret.Parameter) (list []*secret.Edition) {
	for v := p.Oldest; v <= p.Latest; v++ {
		if e, ok := edition(r, p, v); ok {
			list = append(list, e)
		}
	}
	return list
}

// choose finds the version that a selector means; without one, the newest.
func choose(r store.Reader, p *secret.Parameter, s secret.Selector) (*secret.Edition, error) {
	missing := fault.New(fault.ParameterVersionNotFound, "Systems Manager could not find version %s of %s. Verify the version and try again.", strings.TrimPrefix(s.String(), ":"), p.Name)
	if s.Label != "" {
		if e, ok := labelled(r, p, s.Label); ok {
			return e, nil
		}
		return nil, missing
	}
	version := s.Version
	if version == 0 {
		version = p.Latest
	}
	e, ok := edition(r, p, version)
	if !ok {
		return nil, missing
	}
	return e, nil
}

func labelled(r store.Reader, p *secret.Parameter, label string) (*secret.Edition, bool) {
	for _, e := range editions(r, p) {
		if slices.Contains(e.Labels, label) {
			return e, true
		}
	}
	return nil, false
}
