package event

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
)

// Rule sends events to targets: those its pattern chooses, and those its schedule
// makes.
//
// Writers: the API, but for NextAt, which the schedule's loop moves on when it
// claims a firing.
type Rule struct {
	Scope       arn.Scope
	Bus         string // by name
	Name        string
	ARN         string
	Pattern     string // JSON; empty for none
	Schedule    string // empty for none
	State       string // Disabled, or one of AWS's words for enabled
	Description string
	RoleARN     string
	Tags        []workload.Tag
	Targets     []Target // in order of their ids

	Start  time.Time // rates count from here
	NextAt time.Time // when the schedule fires next; zero when it does not
}

// Disabled is the state of a rule that sends nothing.
const Disabled = "DISABLED"

// Concurrency is what a rule does about tasks of its own that still run: those it
// started, of the same family.
type Concurrency string

// The policies. Without one every firing runs its tasks.
const (
	Allow   Concurrency = "allow"
	Forbid  Concurrency = "forbid"  // no new tasks while one runs
	Replace Concurrency = "replace" // stop those that run first
)

// ConcurrencyTag is the key of the tag that sets a rule's policy.
const ConcurrencyTag = "berth:concurrency"

// CheckTags checks the tags that mean something to us.
func CheckTags(tags []workload.Tag) error {
	for _, t := range tags {
		if t.Key != ConcurrencyTag {
			continue
		}
		switch Concurrency(t.Value) {
		case Allow, Forbid, Replace:
		default:
			return fault.New(fault.Validation, "The tag %s can not be %q.", ConcurrencyTag, t.Value).WithHint("use %s, %s or %s", Allow, Forbid, Replace)
		}
	}
	return nil
}

// Concurrency is the rule's policy.
func (r *Rule) Concurrency() Concurrency {
	for _, t := range r.Tags {
		if t.Key == ConcurrencyTag {
			return Concurrency(t.Value)
		}
	}
	return Allow
}

// Plan settles when the rule's schedule fires next, as from now on. The schedule
// must be readable.
func (r *Rule) Plan(now time.Time) error {
	r.NextAt = time.Time{}
	if r.Schedule == "" || r.State == Disabled {
		return nil
	}
	s, err := ParseSchedule(r.Schedule)
	if err != nil {
		return err
	}
	r.NextAt, _ = s.Next(r.Start, now)
	return nil
}

// Target finds a target by id; nil when there is none.
func (r *Rule) Target(id string) *Target {
	for i := range r.Targets {
		if r.Targets[i].ID == id {
			return &r.Targets[i]
		}
	}
	return nil
}

// Target is who gets a rule's events, and how. At most one of Input, InputPath
// and Transformer is set; without them it gets the event.
type Target struct {
	ID      string
	ARN     string
	RoleARN string

	Input       string // JSON
	InputPath   string
	Transformer *Transformer

	ECS   *ECSParameters  // of a target that runs tasks
	HTTP  *HTTPParameters // of an API destination; nil for none
	Retry *RetryPolicy    // nil for the default
}

// Kind of a target.
type Kind int

// Kinds of targets that events can be sent to.
const (
	Unsupported Kind = iota
	LogGroup
	Tasks          // ARN is the cluster's
	APIDestination // an HTTP endpoint
)

// Kind is what the target's ARN names.
func (t *Target) Kind() Kind {
	a, err := arn.Parse(t.ARN)
	switch {
	case err != nil:
		return Unsupported
	case a.Service == "logs" && a.Kind() == "log-group":
		return LogGroup
	case a.Service == "ecs" && a.Kind() == "cluster":
		return Tasks
	case a.Service == "events" && a.Kind() == "api-destination":
		return APIDestination
	}
	return Unsupported
}

// LogGroupName is the group that a log group's ARN names.
func LogGroupName(groupARN string) string {
	a, _ := arn.Parse(groupARN) // a target's ARN was checked
	return strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
}

// ECSParameters say how a target runs tasks.
type ECSParameters struct {
	TaskDefinitionARN    string
	Count                int // at least 1
	LaunchType           string
	Network              *Network // nil for none
	PlatformVersion      string
	Group                string
	CapacityProviders    []CapacityProvider
	EnableECSManagedTags bool
	EnableExecuteCommand bool
	Constraints          []workload.Constraint
	Strategy             []workload.Strategy
	PropagateTags        string
	ReferenceID          string
	Tags                 []workload.Tag
}

// Network is the awsvpc configuration of a target's tasks.
type Network struct {
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP string // empty, "ENABLED" or "DISABLED"
}

// CapacityProvider is an item of a capacity provider strategy.
type CapacityProvider struct {
	Name         string
	Weight, Base int
}

// HTTPParameters are added to the requests of an API destination.
type HTTPParameters struct {
	PathValues []string // in the places of the endpoint's *
	Headers    map[string]string
	Query      map[string]string
}

// StartedBy is what ECS shows as startedBy of a rule's tasks.
func StartedBy(rule string) string { return "events-rule/" + rule }

// Firing is a moment of a schedule that was claimed and whose targets have not all
// been served yet.
type Firing struct {
	RuleKey string // of the rule's record
	At      time.Time
}

// Bus is an event bus other than the default one.
type Bus struct {
	Scope       arn.Scope
	Name        string
	ARN         string
	Description string
	Tags        []workload.Tag
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// Launch is a run of a target's tasks.
type Launch struct {
	Scope      arn.Scope
	Rule       string // by name
	RoleARN    string // on whose behalf; empty for the rule's account
	Cluster    string // ARN
	Parameters *ECSParameters
	Overrides  json.RawMessage // JSON of a task override; nil for none
	Token      string          // the same launch has the same
}

// LaunchFailure says why a task of a launch was not placed.
type LaunchFailure struct {
	ARN    string // of what refused it
	Reason string // RESOURCE:MEMORY, ...
	Detail string
}
