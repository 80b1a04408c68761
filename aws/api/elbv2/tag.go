package elbv2

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxTags is how many tags a resource has, maxTagged how many a call names.
const (
	maxTags   = 50
	maxTagged = 20
)

// engineTag chooses the engine of a balancer when it is made.
const engineTag = "berth:engine"

func readTag(t *shape.Tag) workload.Tag {
	return workload.Tag{Key: *t.Key, Value: member.Value(t.Value)}
}

func showTag(t *workload.Tag) shape.Tag { return shape.Tag{Key: &t.Key, Value: &t.Value} }

// readTags checks what a caller says.
func readTags(in []shape.Tag) ([]workload.Tag, error) {
	said := member.Some(in, readTag)
	tags := workload.SetTags(nil, said)
	if len(tags) < len(said) {
		return nil, fault.New(fault.DuplicateTagKeys, "A tag key was specified more than once")
	}
	return tags, checkTags(tags)
}

func checkTags(tags []workload.Tag) error {
	if len(tags) > maxTags {
		return fault.New(fault.TooManyBalancerTags, "The maximum number of tags (%d) has been reached", maxTags)
	}
	for _, t := range tags {
		if t.Reserved() {
			return invalid("The tag key '%s' is reserved for system use", t.Key)
		}
	}
	return nil
}

func (a *API) addTags(ctx context.Context, call *gateway.Call, in *shape.AddTagsInput) (*shape.AddTagsOutput, error) {
	said, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &shape.AddTagsOutput{}, a.changeTags(ctx, call, in.ResourceArns, func(have []workload.Tag) []workload.Tag {
		return workload.SetTags(have, said)
	})
}

func (a *API) removeTags(ctx context.Context, call *gateway.Call, in *shape.RemoveTagsInput) (*shape.RemoveTagsOutput, error) {
	return &shape.RemoveTagsOutput{}, a.changeTags(ctx, call, in.ResourceArns, func(have []workload.Tag) []workload.Tag {
		return workload.WithoutTags(have, in.TagKeys)
	})
}

func (a *API) describeTags(_ context.Context, call *gateway.Call, in *shape.DescribeTagsInput) (*shape.DescribeTagsOutput, error) {
	if err := checkTagged(in.ResourceArns); err != nil {
		return nil, err
	}
	v, out := a.store.View(), &shape.DescribeTagsOutput{}
	for n := range in.ResourceArns {
		tags, err := tagsOf(v, call.Scope, in.ResourceArns[n])
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(out.TagDescriptions, shape.TagDescription{ResourceArn: &in.ResourceArns[n], Tags: member.Each(tags, showTag)})
	}
	return out, nil
}

func checkTagged(arns []string) error {
	if len(arns) == 0 || len(arns) > maxTagged {
		return invalid("The number of resource ARNs must be between 1 and %d", maxTagged)
	}
	return nil
}

func (a *API) changeTags(ctx context.Context, call *gateway.Call, arns []string, change func([]workload.Tag) []workload.Tag) error {
	if err := checkTagged(arns); err != nil {
		return err
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		for _, name := range arns {
			have, err := tagsOf(tx, call.Scope, name)
			if err != nil {
				return err
			}
			next := change(have)
			if err := checkTags(next); err != nil {
				return err
			}
			putTags(tx, name, next)
		}
		return nil
	})
	return err
}

// resourceKind is the first word of an ARN's resource: "loadbalancer", "listener", ...
func resourceKind(name string) string {
	a, err := arn.Parse(name)
	if err != nil || a.Service != "elasticloadbalancing" {
		return ""
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	return kind
}

// tagsOf are the tags of a resource that is there.
func tagsOf(r store.Reader, scope arn.Scope, name string) ([]workload.Tag, error) {
	switch resourceKind(name) {
	case "loadbalancer":
		b, err := findBalancer(r, scope, name)
		if err != nil {
			return nil, err
		}
		return b.Tags, nil
	case "listener":
		l, err := findListener(r, scope, name)
		if err != nil {
			return nil, err
		}
		return l.Tags, nil
	case "listener-rule":
		found, err := findRule(r, scope, name)
		if err != nil {
			return nil, err
		}
		return found.Tags, nil
	case "targetgroup":
		g, err := findGroup(r, scope, name)
		if err != nil {
			return nil, err
		}
		return g.Tags, nil
	case "truststore":
		s, err := findTrustStore(r, scope, name)
		if err != nil {
			return nil, err
		}
		return s.Tags, nil
	}
	return nil, invalid("'%s' is not a valid load balancer, target group, listener, rule or trust store ARN", name)
}

// putTags writes the tags of a resource that is there.
func putTags(tx *store.Tx, name string, tags []workload.Tag) {
	switch resourceKind(name) {
	case "loadbalancer":
		retag(tx, store.Balancers, name, func(b *balancer.Balancer) { b.Tags = tags })
	case "listener":
		retag(tx, store.Listeners, name, func(l *balancer.Listener) { l.Tags = tags })
	case "listener-rule":
		retag(tx, store.ListenerRules, name, func(r *balancer.Rule) { r.Tags = tags })
	case "targetgroup":
		retag(tx, store.TargetGroups, name, func(g *balancer.TargetGroup) { g.Tags = tags })
	case "truststore":
		retag(tx, store.TrustStores, name, func(s *balancer.TrustStore) { s.Tags = tags })
	}
}

func retag[T any](tx *store.Tx, table *store.Table[T], key string, set func(*T)) {
	if have, ok := table.Get(tx, key); ok {
		next := *have
		set(&next)
		table.Put(tx, &next)
	}
}

// TagsOf are the tags of a resource of this API; ok is false when there is none such.
func TagsOf(r store.Reader, resource arn.ARN) (tags []workload.Tag, ok bool) {
	tags, err := tagsOf(r, resource.Scope(), resource.String())
	return tags, err == nil
}
