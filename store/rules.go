package store

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
)

// Rules by RuleKey.
var Rules = &Table[event.Rule]{
	ID: rules, Noun: "rule", Schema: 1,
	Primary: func(r *event.Rule) string { return RuleKey(r.Scope, r.Bus, r.Name) },
	Indexes: []*Index[event.Rule]{RulesByTarget, RulesListening, RulesScheduled},
}

// RuleKey is the primary key of a rule. Those of one bus share the prefix
// RuleKey(scope, bus, "").
func RuleKey(s arn.Scope, bus, name string) string {
	return BusKey(s, bus) + " " + name
}

// RulesByTarget finds rules by the ARNs of their targets.
var RulesByTarget = &Index[event.Rule]{
	Keys: func(r *event.Rule) []string {
		var keys []string
		for i := range r.Targets {
			keys = append(keys, r.Targets[i].ARN)
		}
		return keys
	},
}

// RulesListening finds the enabled rules with a pattern, by Listening.
var RulesListening = &Index[event.Rule]{
	Key: func(r *event.Rule) string {
		if r.State == event.Disabled || r.Pattern == "" {
			return ""
		}
		return Listening
	},
}

// Listening is the one key of RulesListening.
const Listening = "listening"

// RulesScheduled orders the rules whose schedule fires by when it does next.
var RulesScheduled = &Index[event.Rule]{
	Key: func(r *event.Rule) string {
		if r.NextAt.IsZero() {
			return ""
		}
		return Scheduled
	},
	Rank: func(r *event.Rule) int64 { return r.NextAt.UnixNano() },
}

// Scheduled is the one key of RulesScheduled.
const Scheduled = "scheduled"

// Firings are the moments of schedules whose targets were not all served yet, by
// FiringKey.
var Firings = &Table[event.Firing]{
	ID: firings, Noun: "firing", Schema: 1,
	Primary: func(f *event.Firing) string { return FiringKey(f.RuleKey, f.At) },
}

// FiringKey is the primary key of a firing.
func FiringKey(ruleKey string, at time.Time) string {
	return ruleKey + " " + at.UTC().Format(time.RFC3339)
}

// EventCursor is up to when the events of state changes were handed to rules.
type EventCursor struct {
	Name string // of the bus's loop
	At   time.Time
}

// EventCursors by name.
var EventCursors = &Table[EventCursor]{
	ID: eventCursors, Noun: "event-cursor", Schema: 1,
	Primary: func(c *EventCursor) string { return c.Name },
}
