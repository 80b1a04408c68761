package logs

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

func (a *API) createLogGroup(_ context.Context, call *gateway.Call, in *logs.CreateLogGroupRequest) (*wire.Empty, error) {
	if err := checkTags(nil, in.Tags); err != nil {
		return nil, err
	}
	class := telemetry.Class(in.LogGroupClass)
	if class == "" {
		class = telemetry.Standard
	}
	g := telemetry.Group{
		Name: member.Value(in.LogGroupName), Class: class, KMSKey: member.Value(in.KmsKeyId),
		Tags: in.Tags, Protected: member.Value(in.DeletionProtectionEnabled),
	}
	if class == telemetry.Delivery {
		g.RetentionDays = deliveryRetentionDays
	}
	return &wire.Empty{}, a.archive.CreateGroup(call.Scope, g)
}

// deliveryRetentionDays is how long AWS keeps the events of the DELIVERY class.
const deliveryRetentionDays = 1

// groupCursor is where a page of groups ended.
type groupCursor struct {
	Name string `json:"g"`
}

func (a *API) describeLogGroups(_ context.Context, call *gateway.Call, in *logs.DescribeLogGroupsRequest) (*logs.DescribeLogGroupsResponse, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, fault.New(fault.InvalidParameter, "LogGroupNamePrefix and LogGroupNamePattern are mutually exclusive parameters.")
	}
	if in.LogGroupIdentifiers != nil {
		return a.describeNamedGroups(call.Scope, in)
	}
	var after groupCursor
	if in.NextToken != nil {
		if err := openPage(*in.NextToken, &after); err != nil {
			return nil, err
		}
	}
	list, more, err := a.archive.Groups(call.Scope, telemetry.GroupQuery{
		Prefix: member.Value(in.LogGroupNamePrefix), Contains: member.Value(in.LogGroupNamePattern),
		Class: telemetry.Class(in.LogGroupClass), After: after.Name, Limit: pageSize(in.Limit),
	})
	if err != nil {
		return nil, err
	}
	out := &logs.DescribeLogGroupsResponse{LogGroups: []logs.LogGroup{}}
	for _, g := range list {
		shape := groupShape(call.Scope, g)
		if in.LogGroupNamePattern != nil {
			shape = logs.LogGroup{LogGroupName: shape.LogGroupName, CreationTime: shape.CreationTime, Arn: shape.Arn}
		}
		out.LogGroups = append(out.LogGroups, shape)
	}
	if more {
		out.NextToken = sealPage(groupCursor{Name: list[len(list)-1].Name})
	}
	return out, nil
}

func (a *API) describeNamedGroups(scope arn.Scope, in *logs.DescribeLogGroupsRequest) (*logs.DescribeLogGroupsResponse, error) {
	if in.LogGroupNamePrefix != nil || in.LogGroupNamePattern != nil || in.NextToken != nil || in.Limit != nil || in.LogGroupClass != "" {
		return nil, fault.New(fault.InvalidParameter, "LogGroupIdentifiers cannot be combined with other filters.")
	}
	out := &logs.DescribeLogGroupsResponse{LogGroups: []logs.LogGroup{}}
	for _, identifier := range in.LogGroupIdentifiers {
		name, err := telemetry.GroupName(scope, identifier)
		if err != nil {
			return nil, err
		}
		g, err := a.archive.Group(scope, name)
		if fault.IsKind(err, fault.ResourceNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.LogGroups = append(out.LogGroups, groupShape(scope, g))
	}
	return out, nil
}

func groupShape(scope arn.Scope, g telemetry.Group) logs.LogGroup {
	name := telemetry.GroupARN(scope, g.Name)
	return logs.LogGroup{
		LogGroupName:              &g.Name,
		CreationTime:              &g.Created,
		RetentionInDays:           member.Present(int32(g.RetentionDays)),
		MetricFilterCount:         new(int32),
		Arn:                       new(name + ":*"),
		LogGroupArn:               &name,
		StoredBytes:               &g.StoredBytes,
		KmsKeyId:                  member.Present(g.KMSKey),
		LogGroupClass:             logs.LogGroupClass(g.Class),
		DeletionProtectionEnabled: &g.Protected,
	}
}

func (a *API) deleteLogGroup(_ context.Context, call *gateway.Call, in *logs.DeleteLogGroupRequest) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.DeleteGroup(call.Scope, member.Value(in.LogGroupName))
}

func (a *API) putRetentionPolicy(_ context.Context, call *gateway.Call, in *logs.PutRetentionPolicyRequest) (*wire.Empty, error) {
	days := int(member.Value(in.RetentionInDays))
	if err := telemetry.CheckRetention(days); err != nil {
		return nil, err
	}
	return a.setRetention(call.Scope, member.Value(in.LogGroupName), days)
}

func (a *API) deleteRetentionPolicy(_ context.Context, call *gateway.Call, in *logs.DeleteRetentionPolicyRequest) (*wire.Empty, error) {
	return a.setRetention(call.Scope, member.Value(in.LogGroupName), 0)
}

func (a *API) setRetention(scope arn.Scope, name string, days int) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.ChangeGroup(scope, name, func(g *telemetry.Group) error {
		if g.Class == telemetry.Delivery {
			return fault.New(fault.InvalidParameter, "The retention of log groups of the DELIVERY class cannot be changed.")
		}
		g.RetentionDays = days
		return nil
	})
}

func (a *API) putLogGroupDeletionProtection(_ context.Context, call *gateway.Call, in *logs.PutLogGroupDeletionProtectionRequest) (*wire.Empty, error) {
	name, err := telemetry.GroupName(call.Scope, member.Value(in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, a.archive.ChangeGroup(call.Scope, name, func(g *telemetry.Group) error {
		g.Protected = member.Value(in.DeletionProtectionEnabled)
		return nil
	})
}

func (a *API) associateKmsKey(_ context.Context, call *gateway.Call, in *logs.AssociateKmsKeyRequest) (*wire.Empty, error) {
	return a.setKey(call.Scope, in.LogGroupName, in.ResourceIdentifier, member.Value(in.KmsKeyId))
}

func (a *API) disassociateKmsKey(_ context.Context, call *gateway.Call, in *logs.DisassociateKmsKeyRequest) (*wire.Empty, error) {
	return a.setKey(call.Scope, in.LogGroupName, in.ResourceIdentifier, "")
}

func (a *API) setKey(scope arn.Scope, name, identifier *string, key string) (*wire.Empty, error) {
	group, err := groupOf(scope, name, identifier, "resourceIdentifier")
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, a.archive.ChangeGroup(scope, group, func(g *telemetry.Group) error {
		g.KMSKey = key
		return nil
	})
}

// groupOf resolves the two members that may name a group, of which one must be
// given.
func groupOf(scope arn.Scope, name, identifier *string, identifierMember string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", fault.New(fault.InvalidParameter, "You can specify either logGroupName or %s, but not both.", identifierMember)
	case name != nil:
		return *name, nil
	case identifier != nil:
		return telemetry.GroupName(scope, *identifier)
	default:
		return "", fault.New(fault.InvalidParameter, "You must specify either logGroupName or %s.", identifierMember)
	}
}
