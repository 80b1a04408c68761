package ecs

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Limits of attributes.
const (
	maxAttributeText     = 128
	maxAttributesPut     = 10 // in one call
	maxCustomAttributes  = 10 // of one instance, beside those of its agent
	targetInstance       = ecs.TargetTypeContainerInstance
	badAttributeTarget   = "targetType must be container-instance"
	attributeNameLetters = "-_./\\"
	attributeTextLetters = attributeNameLetters + "@: "
)

// checkAttribute holds a name and value against AWS's rules.
func checkAttribute(a *ecs.Attribute) error {
	name, value := member.Value(a.Name), member.Value(a.Value)
	beside := func(letters string) func(rune) bool {
		return func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(letters, r)
		}
	}
	switch {
	case name == "":
		return invalid("Attribute name can not be empty.")
	case len(name) > maxAttributeText || strings.ContainsFunc(name, beside(attributeNameLetters)):
		return invalid("Invalid attribute name '%s'.", name)
	case len(value) > maxAttributeText || strings.TrimSpace(value) != value || strings.ContainsFunc(value, beside(attributeTextLetters)):
		return invalid("Invalid value of attribute '%s'.", name)
	}
	return nil
}

func (a *API) putAttributes(ctx context.Context, call *gateway.Call, in *ecs.PutAttributesRequest) (*ecs.PutAttributesResponse, error) {
	err := a.changeAttributes(ctx, call, in.Cluster, in.Attributes, func(i *cluster.Instance, at *ecs.Attribute) error {
		i.Attributes = setAttribute(i.Attributes, workload.Attribute{Name: *at.Name, Value: member.Value(at.Value)})
		custom := 0
		for _, x := range i.Attributes {
			if !isBuiltIn(x.Name) {
				custom++
			}
		}
		if custom > maxCustomAttributes {
			return fault.New(fault.AttributeLimitExceeded, "You have reached the limit of custom attributes for container instance %s.", i.ARN)
		}
		return nil
	})
	return &ecs.PutAttributesResponse{Attributes: in.Attributes}, err
}

func (a *API) deleteAttributes(ctx context.Context, call *gateway.Call, in *ecs.DeleteAttributesRequest) (*ecs.DeleteAttributesResponse, error) {
	err := a.changeAttributes(ctx, call, in.Cluster, in.Attributes, func(i *cluster.Instance, at *ecs.Attribute) error {
		i.Attributes = slices.DeleteFunc(slices.Clone(i.Attributes), func(x workload.Attribute) bool {
			return x.Name == *at.Name && (at.Value == nil || x.Value == *at.Value)
		})
		return nil
	})
	return &ecs.DeleteAttributesResponse{Attributes: in.Attributes}, err
}

// changeAttributes changes the target of each attribute in one transaction.
func (a *API) changeAttributes(ctx context.Context, call *gateway.Call, ref *string, attributes []ecs.Attribute, change func(*cluster.Instance, *ecs.Attribute) error) error {
	switch n := len(attributes); {
	case n == 0:
		return invalid("attributes can not be empty")
	case n > maxAttributesPut:
		return invalid("attributes can have at most %d items.", maxAttributesPut)
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, ref)
		if err != nil {
			return err
		}
		for n := range attributes {
			have, err := attributeTarget(tx, c, &attributes[n])
			if err != nil {
				return err
			}
			next := *have
			if err := change(&next, &attributes[n]); err != nil {
				return err
			}
			next.Version++
			store.Instances.Put(tx, &next)
		}
		return nil
	})
	return err
}

func attributeTarget(r store.Reader, c *cluster.Cluster, at *ecs.Attribute) (*cluster.Instance, error) {
	if err := checkAttribute(at); err != nil {
		return nil, err
	}
	if at.TargetType != "" && at.TargetType != targetInstance {
		return nil, invalid(badAttributeTarget)
	}
	if strings.HasPrefix(*at.Name, ownPrefix) {
		return nil, invalid("Invalid attribute name '%s'.", *at.Name).WithHint("names that begin with '%s' are the agent's own", ownPrefix)
	}
	target := member.Value(at.TargetId)
	i, err := findInstance(r, c, target)
	if err != nil || !i.DeregisteredAt.IsZero() {
		return nil, fault.New(fault.TargetNotFound, "Could not find %s", target)
	}
	return i, nil
}

func (a *API) listAttributes(_ context.Context, call *gateway.Call, in *ecs.ListAttributesRequest) (*ecs.ListAttributesResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	if in.TargetType != targetInstance {
		return nil, invalid(badAttributeTarget)
	}
	if in.AttributeValue != nil && in.AttributeName == nil {
		return nil, invalid("An attribute name must be specified with an attribute value.")
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	following := filter(attributesOf(v, c), func(at instanceAttribute) bool {
		return at.after(page.after.Key) && (in.AttributeName == nil || at.Name == *in.AttributeName) &&
			(in.AttributeValue == nil || at.Value == *in.AttributeValue)
	})
	found, next := fill(page, following, func(at instanceAttribute) cursor { return cursor{Key: at.place()} })
	return &ecs.ListAttributesResponse{
		Attributes: member.Each(found, func(at *instanceAttribute) ecs.Attribute {
			return ecs.Attribute{Name: &at.Name, Value: member.Present(at.Value), TargetType: targetInstance, TargetId: &at.instance}
		}),

		NextToken: next,
	}, nil
}

// instanceAttribute is an attribute and who has it.
type instanceAttribute struct {
	workload.Attribute
	instance string
}

// place orders attributes by instance and name.
func (at instanceAttribute) place() string { return at.instance + " " + at.Name }

func (at instanceAttribute) after(place string) bool { return cmp.Compare(at.place(), place) > 0 }

func attributesOf(r store.Reader, c *cluster.Cluster) iter.Seq[instanceAttribute] {
	return func(yield func(instanceAttribute) bool) {
		for i := range store.Instances.By(r, store.InstancesByCluster, c.ARN) {
			if !i.OffersEC2 || !i.DeregisteredAt.IsZero() {
				continue
			}
			for _, at := range i.Attributes {
				if !strings.HasPrefix(at.Name, ownPrefix) && !yield(instanceAttribute{at, i.ARN}) {
					return
				}
			}
		}
	}
}
