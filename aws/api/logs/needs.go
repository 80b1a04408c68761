package logs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
)

// Needs says by operation what its callers must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateLogGroup": gateway.NeedsOf(createLogGroupNeeds),
		"DescribeLogGroups": gateway.On(func(c *gateway.Call, in *logs.DescribeLogGroupsRequest) []string {
			if in.LogGroupIdentifiers == nil {
				return group(c.Scope, "")
			}
			return groups(c.Scope, in.LogGroupIdentifiers)
		}),
		"DeleteLogGroup": gateway.On(func(c *gateway.Call, in *logs.DeleteLogGroupRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),
		"PutRetentionPolicy": gateway.On(func(c *gateway.Call, in *logs.PutRetentionPolicyRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),
		"DeleteRetentionPolicy": gateway.On(func(c *gateway.Call, in *logs.DeleteRetentionPolicyRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),
		"PutLogGroupDeletionProtection": gateway.On(func(c *gateway.Call, in *logs.PutLogGroupDeletionProtectionRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupIdentifier))
		}),
		"AssociateKmsKey": gateway.On(func(c *gateway.Call, in *logs.AssociateKmsKeyRequest) []string {
			return group(c.Scope, either(in.LogGroupName, in.ResourceIdentifier))
		}),
		"DisassociateKmsKey": gateway.On(func(c *gateway.Call, in *logs.DisassociateKmsKeyRequest) []string {
			return group(c.Scope, either(in.LogGroupName, in.ResourceIdentifier))
		}),

		"TagResource": gateway.On(func(_ *gateway.Call, in *logs.TagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"UntagResource": gateway.On(func(_ *gateway.Call, in *logs.UntagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *logs.ListTagsForResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"TagLogGroup": gateway.On(func(c *gateway.Call, in *logs.TagLogGroupRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),
		"UntagLogGroup": gateway.On(func(c *gateway.Call, in *logs.UntagLogGroupRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),
		"ListTagsLogGroup": gateway.On(func(c *gateway.Call, in *logs.ListTagsLogGroupRequest) []string {
			return group(c.Scope, member.Value(in.LogGroupName))
		}),

		"CreateLogStream": gateway.On(func(c *gateway.Call, in *logs.CreateLogStreamRequest) []string {
			return stream(c.Scope, member.Value(in.LogGroupName), in.LogStreamName)
		}),
		"DescribeLogStreams": gateway.On(func(c *gateway.Call, in *logs.DescribeLogStreamsRequest) []string {
			return group(c.Scope, either(in.LogGroupName, in.LogGroupIdentifier))
		}),
		"DeleteLogStream": gateway.On(func(c *gateway.Call, in *logs.DeleteLogStreamRequest) []string {
			return stream(c.Scope, member.Value(in.LogGroupName), in.LogStreamName)
		}),
		"PutLogEvents": gateway.On(func(c *gateway.Call, in *logs.PutLogEventsRequest) []string {
			return stream(c.Scope, member.Value(in.LogGroupName), in.LogStreamName)
		}),
		"GetLogEvents": gateway.On(func(c *gateway.Call, in *logs.GetLogEventsRequest) []string {
			return stream(c.Scope, either(in.LogGroupName, in.LogGroupIdentifier), in.LogStreamName)
		}),
		"FilterLogEvents": gateway.On(func(c *gateway.Call, in *logs.FilterLogEventsRequest) []string {
			return group(c.Scope, either(in.LogGroupName, in.LogGroupIdentifier))
		}),
		"StartLiveTail": gateway.On(func(c *gateway.Call, in *logs.StartLiveTailRequest) []string {
			return groups(c.Scope, in.LogGroupIdentifiers)
		}),
	}
}

// createLogGroupNeeds: a group that is born with tags is tagged, too.
func createLogGroupNeeds(call *gateway.Call, in *logs.CreateLogGroupRequest) []gateway.Need {
	needs := []gateway.Need{{Resources: group(call.Scope, member.Value(in.LogGroupName))}}
	if len(in.Tags) > 0 {
		needs = append(needs, gateway.Need{Action: "logs:TagResource", Resources: []string{telemetry.GroupARN(call.Scope, member.Value(in.LogGroupName))}})
	}
	return needs
}

func either(name, identifier *string) string {
	if name != nil {
		return *name
	}
	return member.Value(identifier)
}

// group is how AWS writes a group by name or ARN in decisions: as its streams,
// without one. Policies on log-group:NAME:* allow it.
func group(scope arn.Scope, identifier string) []string { return stream(scope, identifier, new("")) }

func groups(scope arn.Scope, identifiers []string) (out []string) {
	for _, identifier := range identifiers {
		out = append(out, group(scope, identifier)...)
	}
	return out
}

// stream is the ARN of a stream of a group by name or ARN. An ARN of elsewhere stays
// what it is.
func stream(scope arn.Scope, identifier string, name *string) []string {
	of, err := telemetry.GroupName(scope, identifier)
	if err != nil {
		return []string{identifier}
	}
	return []string{telemetry.StreamARN(scope, of, member.Value(name))}
}
