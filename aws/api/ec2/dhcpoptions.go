package ec2

import (
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type dhcpOptions = network.DHCPOptions

var dhcpKind = kind[dhcpOptions]{
	noun: "dhcpOption", missing: fault.InvalidDhcpOptionsID,
	id:   func(o *dhcpOptions) string { return o.ID },
	tags: func(o *dhcpOptions) []workload.Tag { return o.Tags },
	fields: map[string]func(*dhcpOptions) []string{
		"dhcp-options-id": one(func(o *dhcpOptions) string { return o.ID }),
		"key": func(o *dhcpOptions) []string {
			return texts(o.Options, func(x network.DHCPOption) string { return x.Key })
		},
		"owner-id": one(func(o *dhcpOptions) string { return o.Scope.Account }),
		"value": func(o *dhcpOptions) []string {
			var values []string
			for _, x := range o.Options {
				values = append(values, x.Values...)
			}
			return values
		},
	},
}

func (a *API) describeDHCPOptions(v *store.View, call *gateway.Call, in *shape.DescribeDhcpOptionsRequest) (*shape.DescribeDhcpOptionsResult, error) {
	page, next, err := stored(&dhcpKind, store.DHCPOptions, v, call.Scope, selection{in.DhcpOptionsIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeDhcpOptionsResult{DhcpOptions: each(page, dhcpShape), NextToken: next}, nil
}

func dhcpShape(o *dhcpOptions) shape.DhcpOptions {
	s := shape.DhcpOptions{DhcpOptionsId: new(o.ID), OwnerId: new(o.Scope.Account), Tags: tagShapes(o.Tags)}
	for _, x := range o.Options {
		c := shape.DhcpConfiguration{Key: new(x.Key)}
		for _, value := range x.Values {
			c.Values = append(c.Values, shape.AttributeValue{Value: new(value)})
		}
		s.DhcpConfigurations = append(s.DhcpConfigurations, c)
	}
	return s
}

func (a *API) createDHCPOptions(tx *store.Tx, call *gateway.Call, in *shape.CreateDhcpOptionsRequest) (*shape.CreateDhcpOptionsResult, error) {
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeDhcpOptions)
	if err != nil {
		return nil, err
	}
	known := []string{"domain-name-servers", "domain-name", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time"}
	made := dhcpOptions{Scope: call.Scope, ID: newID("dopt"), Tags: tags}
	for _, c := range in.DhcpConfigurations {
		if !slices.Contains(known, deref(c.Key)) || len(c.Values) == 0 {
			return nil, invalid("Value (%s) for parameter dhcpConfiguration is invalid.", deref(c.Key))
		}
		made.Options = append(made.Options, network.DHCPOption{Key: *c.Key, Values: c.Values})
	}
	if len(made.Options) == 0 {
		return nil, fault.New(fault.MissingParameter, "The request must contain the parameter dhcpConfiguration")
	}
	store.DHCPOptions.Put(tx, &made)
	return &shape.CreateDhcpOptionsResult{DhcpOptions: new(dhcpShape(&made))}, nil
}

// deleteDHCPOptions keeps those that a scope began with: they mark that it did.
func (a *API) deleteDHCPOptions(tx *store.Tx, call *gateway.Call, in *shape.DeleteDhcpOptionsRequest) (*empty, error) {
	have, err := find(&dhcpKind, store.DHCPOptions, tx, call.Scope, in.DhcpOptionsId)
	if err != nil {
		return nil, err
	}
	used := have.ID == network.DefaultOptions(call.Scope).ID
	for v := range store.VPCs.Prefix(tx, network.Key(call.Scope, "")) {
		used = used || v.DHCPOptionsID == have.ID
	}
	if used {
		return nil, inUse("The dhcpOptions '%s' has dependencies and cannot be deleted.", have.ID)
	}
	store.DHCPOptions.Delete(tx, network.Key(have.Scope, have.ID))
	return &empty{}, nil
}

func (a *API) associateDHCPOptions(tx *store.Tx, call *gateway.Call, in *shape.AssociateDhcpOptionsRequest) (*empty, error) {
	id := deref(in.DhcpOptionsId)
	if id != "default" { // AWS's word for no options
		if _, err := find(&dhcpKind, store.DHCPOptions, tx, call.Scope, in.DhcpOptionsId); err != nil {
			return nil, err
		}
	}
	return &empty{}, alterVPC(tx, call.Scope, in.VpcId, func(v *network.VPC) error {
		v.DHCPOptionsID = id
		return nil
	})
}
