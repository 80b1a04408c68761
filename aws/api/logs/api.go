// Package logs answers the operations of Amazon CloudWatch Logs on an archive of
// log events.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
//
// A file holds the operations of one resource. What the model constrains is
// checked before a handler is called; here is what it does not say.
package logs

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
)

// Groups keeps log groups.
type Groups interface {
	CreateGroup(arn.Scope, telemetry.Group) error
	Group(scope arn.Scope, name string) (telemetry.Group, error)
	Groups(arn.Scope, telemetry.GroupQuery) (list []telemetry.Group, more bool, err error)
	ChangeGroup(scope arn.Scope, name string, change func(*telemetry.Group) error) error
	DeleteGroup(scope arn.Scope, name string) error
}

// Streams keeps log streams.
type Streams interface {
	CreateStream(scope arn.Scope, group, name string) error
	Streams(scope arn.Scope, group string, q telemetry.StreamQuery) ([]telemetry.Stream, *telemetry.StreamCursor, error)
	DeleteStream(scope arn.Scope, group, name string) error
}

// Events keeps log events. Put has them on disk when it returns, and stores a
// batch with a source once.
type Events interface {
	Put(scope arn.Scope, group, stream string, events []telemetry.Event, source *telemetry.Source) (telemetry.Rejection, error)
	Read(scope arn.Scope, group, stream string, q telemetry.ReadQuery) (telemetry.Page, error)
	Search(ctx context.Context, scope arn.Scope, group string, q telemetry.SearchQuery) (telemetry.Found, error)
	Tail(arn.Scope, telemetry.TailQuery) (telemetry.Tail, error)
}

// Archive is where logs are kept. Its errors are faults.
type Archive interface {
	Groups
	Streams
	Events
}

// API answers CloudWatch Logs.
type API struct {
	archive  Archive
	interval time.Duration // between the updates of a live tail
}

// New makes the API.
func New(archive Archive) *API { return &API{archive: archive, interval: time.Second} }

// Operations are the handlers by operation name.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateLogGroup":                gateway.Handle(a.createLogGroup),
		"DescribeLogGroups":             gateway.Handle(a.describeLogGroups),
		"DeleteLogGroup":                gateway.Handle(a.deleteLogGroup),
		"PutRetentionPolicy":            gateway.Handle(a.putRetentionPolicy),
		"DeleteRetentionPolicy":         gateway.Handle(a.deleteRetentionPolicy),
		"PutLogGroupDeletionProtection": gateway.Handle(a.putLogGroupDeletionProtection),
		"AssociateKmsKey":               gateway.Handle(a.associateKmsKey),
		"DisassociateKmsKey":            gateway.Handle(a.disassociateKmsKey),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTagsForResource),
		"TagLogGroup":         gateway.Handle(a.tagLogGroup),
		"UntagLogGroup":       gateway.Handle(a.untagLogGroup),
		"ListTagsLogGroup":    gateway.Handle(a.listTagsLogGroup),

		"CreateLogStream":    gateway.Handle(a.createLogStream),
		"DescribeLogStreams": gateway.Handle(a.describeLogStreams),
		"DeleteLogStream":    gateway.Handle(a.deleteLogStream),

		"PutLogEvents":    gateway.Handle(a.putLogEvents),
		"GetLogEvents":    gateway.Handle(a.getLogEvents),
		"FilterLogEvents": gateway.Handle(a.filterLogEvents),
		"StartLiveTail":   gateway.Handle(a.startLiveTail),
	}
}
