package telemetry

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

// Class is what a log group costs and offers at AWS. Here all offer the same.
type Class string

// Classes.
const (
	Standard         Class = "STANDARD"
	InfrequentAccess Class = "INFREQUENT_ACCESS"
	Delivery         Class = "DELIVERY"
)

// Group is a log group.
type Group struct {
	Name          string
	Created       int64
	RetentionDays int // 0 keeps events for ever
	Class         Class
	KMSKey        string // ARN; empty when none. Stored and shown, not used
	Tags          map[string]string
	Protected     bool // cannot be deleted
	StoredBytes   int64
}

// Stream is a log stream of a group.
type Stream struct {
	Name         string
	Created      int64
	FirstEvent   int64 // time of its oldest event; 0 when it never had one
	LastEvent    int64 // time of its newest event
	LastIngested int64 // when its last event came in
}

const groupResource = "log-group:"

// GroupARN names a group without the trailing ":*".
func GroupARN(s arn.Scope, group string) string { return s.Of("logs", groupResource+group) }

// StreamARN names a stream.
func StreamARN(s arn.Scope, group, stream string) string {
	return GroupARN(s, group) + ":log-stream:" + stream
}

// GroupName reads a group's identifier: its name or its ARN, with ":*" or without.
// An ARN of another account or region is refused.
func GroupName(s arn.Scope, identifier string) (string, error) {
	if !strings.HasPrefix(identifier, "arn:") {
		return identifier, nil
	}
	a, err := arn.Parse(identifier)
	if err != nil || a.Service != "logs" || !strings.HasPrefix(a.Resource, groupResource) {
		return "", fault.New(fault.InvalidParameter, "The resource ARN you specified is not valid: %s", identifier)
	}
	if a.Scope() != s {
		return "", fault.New(fault.ResourceNotFound, "The specified log group does not exist.").
			WithHint("the ARN names account %s in %s; this request is for account %s in %s", a.Account, a.Region, s.Account, s.Region)
	}
	return strings.TrimSuffix(strings.TrimPrefix(a.Resource, groupResource), ":*"), nil
}

// RetentionDays are the retentions AWS offers.
func RetentionDays() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// CheckRetention refuses a retention AWS does not offer.
func CheckRetention(days int) error {
	if slices.Contains(RetentionDays(), days) {
		return nil
	}
	return fault.New(fault.InvalidParameter,
		"1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v",
		days, RetentionDays())
}

// CheckGroupName refuses the names AWS keeps for itself.
func CheckGroupName(name string) error {
	if strings.HasPrefix(name, "aws/") {
		return fault.New(fault.InvalidParameter, "Log groups starting with AWS/ are reserved for AWS.")
	}
	return nil
}
