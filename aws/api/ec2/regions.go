package ec2

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/region"
	"github.com/berthhq/berth/domain/workload"
)

const (
	enabledByDefault = "opt-in-not-required"
	optedIn          = "opted-in" // every region is open here: nobody has to opt in
)

func optInStatus(r *region.Region) string {
	if r.OptIn {
		return optedIn
	}
	return enabledByDefault
}

var regionKind = kind[region.Region]{
	noun: "region", missing: fault.InvalidParameterValue,
	id: func(r *region.Region) string { return r.Name },
	fields: map[string]func(*region.Region) []string{
		"endpoint":      one(regionEndpoint),
		"region-name":   one(func(r *region.Region) string { return r.Name }),
		"opt-in-status": one(optInStatus),
	},
}

func regionEndpoint(r *region.Region) string { return "ec2." + r.Name + ".amazonaws.com" }

func (a *API) describeRegions(_ context.Context, _ *gateway.Call, in *shape.DescribeRegionsRequest) (*shape.DescribeRegionsResult, error) {
	var regions []*region.Region
	for _, r := range region.Commercial() {
		regions = append(regions, &r)
	}
	for _, name := range in.RegionNames {
		if !slices.ContainsFunc(regions, func(r *region.Region) bool { return r.Name == name }) {
			return nil, fault.New(fault.InvalidParameterValue, "Invalid region provided: %s", name)
		}
	}
	page, _, err := derived(&regionKind, regions, selection{ids: in.RegionNames, filters: in.Filters})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeRegionsResult{Regions: each(page, func(r *region.Region) shape.Region {
		return shape.Region{RegionName: new(r.Name), Endpoint: new(regionEndpoint(r)), OptInStatus: new(optInStatus(r))}
	})}, nil
}

// zone is an availability zone of a region.
type zone struct{ region, name, id string }

var zoneKind = kind[zone]{
	noun: "availability zone", missing: fault.InvalidParameterValue,
	id:   func(z *zone) string { return z.name },
	tags: func(*zone) []workload.Tag { return nil },
	fields: map[string]func(*zone) []string{
		"group-name":    one(zoneGroup),
		"opt-in-status": always[zone](enabledByDefault),
		"region-name":   one(func(z *zone) string { return z.region }),
		"state":         always[zone]("available"),
		"zone-id":       one(func(z *zone) string { return z.id }),
		"zone-name":     one(func(z *zone) string { return z.name }),
		"zone-type":     always[zone]("availability-zone"),
	},
}

func zoneGroup(z *zone) string { return z.region + "-zg-1" }

func (a *API) describeAvailabilityZones(_ context.Context, call *gateway.Call, in *shape.DescribeAvailabilityZonesRequest) (*shape.DescribeAvailabilityZonesResult, error) {
	var zones []*zone
	for _, s := range network.NewDefault(call.Scope, a.cidr, "").Subnets {
		zones = append(zones, &zone{call.Scope.Region, s.Zone, s.ZoneID})
	}
	for _, name := range in.ZoneNames {
		if !slices.ContainsFunc(zones, func(z *zone) bool { return z.name == name }) {
			return nil, fault.New(fault.InvalidParameterValue, "Invalid availability zone: [%s]", name)
		}
	}
	filters := in.Filters
	if len(in.ZoneIds) > 0 {
		filters = append(slices.Clone(filters), shape.Filter{Name: new("zone-id"), Values: in.ZoneIds})
	}
	page, _, err := derived(&zoneKind, zones, selection{ids: in.ZoneNames, filters: filters})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeAvailabilityZonesResult{AvailabilityZones: each(page, zoneShape)}, nil
}

func zoneShape(z *zone) shape.AvailabilityZone {
	return shape.AvailabilityZone{
		RegionName: new(z.region), ZoneName: new(z.name), ZoneId: new(z.id), State: shape.AvailabilityZoneStateAvailable,
		OptInStatus: shape.AvailabilityZoneOptInStatusOptInNotRequired, ZoneType: new("availability-zone"),
		GroupName: new(zoneGroup(z)), NetworkBorderGroup: new(z.region), Messages: []shape.AvailabilityZoneMessage{},
	}
}

func (a *API) describeAccountAttributes(ctx context.Context, call *gateway.Call, in *shape.DescribeAccountAttributesRequest) (*shape.DescribeAccountAttributesResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeAccountAttributesResult{AccountAttributes: []shape.AccountAttribute{}}
	for _, attribute := range []struct{ name, value string }{{"supported-platforms", "VPC"}, {"default-vpc", defaultVPC(v, call.Scope)}} {
		if len(in.AttributeNames) > 0 && !slices.Contains(in.AttributeNames, shape.AccountAttributeName(attribute.name)) {
			continue
		}
		out.AccountAttributes = append(out.AccountAttributes, shape.AccountAttribute{
			AttributeName: new(attribute.name), AttributeValues: []shape.AccountAttributeValue{{AttributeValue: new(attribute.value)}},
		})
	}
	return out, nil
}
