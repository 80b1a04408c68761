package ec2

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// taggable is a type of resource that has tags, told by the prefix of its ids.
type taggable struct {
	prefix string
	kind   shape.ResourceType
	each   func(r store.Reader, scope arn.Scope, yield func(id string, tags []workload.Tag))
	// alter changes the tags of one; false when it does not exist.
	alter func(tx *store.Tx, scope arn.Scope, id string, fn func([]workload.Tag) []workload.Tag) bool
}

func taggedIn[T any](prefix string, kind shape.ResourceType, table *store.Table[T], of func(*T) (id string, tags *[]workload.Tag)) taggable {
	return taggable{prefix, kind,
		func(r store.Reader, scope arn.Scope, yield func(string, []workload.Tag)) {
			for record := range table.Prefix(r, network.Key(scope, prefix)) {
				id, tags := of(record)
				yield(id, *tags)
			}
		},
		func(tx *store.Tx, scope arn.Scope, id string, fn func([]workload.Tag) []workload.Tag) bool {
			have, ok := table.Get(tx, network.Key(scope, id))
			if !ok {
				return false
			}
			next := *have
			_, tags := of(&next)
			*tags = fn(slices.Clone(*tags))
			table.Put(tx, &next)
			return true
		},
	}
}

// taggables are all types. A prefix that begins with another's comes before it.
func taggables() []taggable {
	return []taggable{
		taggedIn("vpc-", shape.ResourceTypeVpc, store.VPCs, func(v *network.VPC) (string, *[]workload.Tag) { return v.ID, &v.Tags }),
		taggedIn("subnet-", shape.ResourceTypeSubnet, store.Subnets, func(s *network.Subnet) (string, *[]workload.Tag) { return s.ID, &s.Tags }),
		taggedIn("sg-", shape.ResourceTypeSecurityGroup, store.SecurityGroups, func(g *group) (string, *[]workload.Tag) { return g.ID, &g.Tags }),
		{"sgr-", shape.ResourceTypeSecurityGroupRule, eachRuleTags, alterRuleTags},
		taggedIn("rtb-", shape.ResourceTypeRouteTable, store.RouteTables, func(t *network.RouteTable) (string, *[]workload.Tag) { return t.ID, &t.Tags }),
		taggedIn("igw-", shape.ResourceTypeInternetGateway, store.InternetGateways, func(g *network.InternetGateway) (string, *[]workload.Tag) { return g.ID, &g.Tags }),
		taggedIn("eigw-", shape.ResourceTypeEgressOnlyInternetGateway, store.InternetGateways, func(g *network.InternetGateway) (string, *[]workload.Tag) { return g.ID, &g.Tags }),
		taggedIn("nat-", shape.ResourceTypeNatgateway, store.NATGateways, func(g *network.NATGateway) (string, *[]workload.Tag) { return g.ID, &g.Tags }),
		taggedIn("eipalloc-", shape.ResourceTypeElasticIp, store.Addresses, func(a *network.Address) (string, *[]workload.Tag) { return a.AllocationID, &a.Tags }),
		taggedIn("acl-", shape.ResourceTypeNetworkAcl, store.ACLs, func(a *network.ACL) (string, *[]workload.Tag) { return a.ID, &a.Tags }),
		taggedIn("eni-", shape.ResourceTypeNetworkInterface, store.Interfaces, func(i *leased) (string, *[]workload.Tag) { return i.ID, &i.Tags }),
		taggedIn("pl-", shape.ResourceTypePrefixList, store.PrefixLists, func(p *network.PrefixList) (string, *[]workload.Tag) { return p.ID, &p.Tags }),
		taggedIn("dopt-", shape.ResourceTypeDhcpOptions, store.DHCPOptions, func(o *network.DHCPOptions) (string, *[]workload.Tag) { return o.ID, &o.Tags }),
		taggedIn("vpce-svc-", shape.ResourceTypeVpcEndpointService, store.EndpointServices, func(s *network.EndpointService) (string, *[]workload.Tag) { return s.ID, &s.Tags }),
		taggedIn("vpce-", shape.ResourceTypeVpcEndpoint, store.Endpoints, func(e *network.Endpoint) (string, *[]workload.Tag) { return e.ID, &e.Tags }),
		taggedIn("pcx-", shape.ResourceTypeVpcPeeringConnection, store.Peerings, func(p *network.Peering) (string, *[]workload.Tag) { return p.ID, &p.Tags }),
	}
}

func eachRuleTags(r store.Reader, scope arn.Scope, yield func(string, []workload.Tag)) {
	for g := range store.SecurityGroups.Prefix(r, network.Key(scope, "")) {
		for _, rules := range [][]network.Rule{g.Ingress, g.Egress} {
			for _, rule := range rules {
				yield(rule.ID, rule.Tags)
			}
		}
	}
}

func alterRuleTags(tx *store.Tx, scope arn.Scope, id string, fn func([]workload.Tag) []workload.Tag) bool {
	for g := range store.SecurityGroups.By(tx, store.SecurityGroupsByRule, network.Key(scope, id)) {
		next := copyGroup(g)
		rule := next.rule(id)
		rule.Tags = fn(slices.Clone(rule.Tags))
		store.SecurityGroups.Put(tx, (*group)(next))
		return true
	}
	return false
}

func (a *API) createTags(tx *store.Tx, call *gateway.Call, in *shape.CreateTagsRequest) (*empty, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	return &empty{}, alterTags(tx, call.Scope, in.Resources, func(have []workload.Tag) []workload.Tag {
		for _, t := range tags {
			if at := slices.IndexFunc(have, func(h workload.Tag) bool { return h.Key == t.Key }); at >= 0 {
				have[at] = t
				continue
			}
			have = append(have, t)
		}
		return have
	})
}

// deleteTags: without tags all go; a tag with a value goes only if it has that value.
func (a *API) deleteTags(tx *store.Tx, call *gateway.Call, in *shape.DeleteTagsRequest) (*empty, error) {
	return &empty{}, alterTags(tx, call.Scope, in.Resources, func(have []workload.Tag) []workload.Tag {
		return slices.DeleteFunc(have, func(t workload.Tag) bool {
			return len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(w shape.Tag) bool {
				return deref(w.Key) == t.Key && (w.Value == nil || *w.Value == t.Value)
			})
		})
	})
}

func alterTags(tx *store.Tx, scope arn.Scope, ids []string, fn func([]workload.Tag) []workload.Tag) error {
	all := taggables()
	for _, id := range ids {
		n := slices.IndexFunc(all, func(t taggable) bool { return strings.HasPrefix(id, t.prefix) })
		if n < 0 {
			return fault.New(fault.InvalidID, "The ID '%s' is not valid", id)
		}
		tooMany := false
		if !all[n].alter(tx, scope, id, func(have []workload.Tag) []workload.Tag {
			next := fn(have)
			tooMany = len(next) > mostTags
			return next
		}) {
			return fault.New(fault.InvalidID, "The ID '%s' is not valid", id)
		}
		if tooMany {
			return fault.New(fault.TagLimitExceeded, "The maximum number of Tags for a resource has been reached.")
		}
	}
	return nil
}

// Limits of tags.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
const (
	mostTags    = 50
	longestKey  = 128
	longestText = 256
)

func tagsOf(in []shape.Tag) ([]workload.Tag, error) {
	var tags []workload.Tag
	for _, t := range in {
		key := deref(t.Key)
		switch {
		case key == "":
			return nil, fault.New(fault.MissingParameter, "Tag keys can not be empty")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys starting with 'aws:' are reserved for internal use")
		case len([]rune(key)) > longestKey || len([]rune(deref(t.Value))) > longestText:
			return nil, invalid("Tag key exceeds the maximum length of 128 characters, or its value that of 256")
		case slices.ContainsFunc(tags, func(h workload.Tag) bool { return h.Key == key }):
			return nil, invalid("Duplicate tag key '%s' specified.", key)
		}
		tags = append(tags, workload.Tag{Key: key, Value: deref(t.Value)})
	}
	if len(tags) > mostTags {
		return nil, fault.New(fault.TagLimitExceeded, "The maximum number of Tags for a resource has been reached.")
	}
	return tags, nil
}

// specified are the tags that a request gives to what it makes.
func specified(in []shape.TagSpecification, kind shape.ResourceType) ([]workload.Tag, error) {
	var all []shape.Tag
	for _, s := range in {
		if s.ResourceType != kind {
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", s.ResourceType)
		}
		all = append(all, s.Tags...)
	}
	return tagsOf(all)
}
