package store

import (
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
)

// EventBuses by BusKey: all but the default ones, which every account has.
var EventBuses = &Table[event.Bus]{
	ID: eventBuses, Noun: "event-bus", Schema: 1,
	Primary: func(b *event.Bus) string { return BusKey(b.Scope, b.Name) },
}

// BusKey is the primary key of an event bus. Those of an account and region share
// the prefix BusKey(scope, "").
func BusKey(s arn.Scope, name string) string { return s.Account + "/" + s.Region + "/" + name }

// Connections by BusKey of their name.
var Connections = &Table[event.Connection]{
	ID: connections, Noun: "connection", Schema: 1,
	Primary: func(c *event.Connection) string { return BusKey(c.Scope, c.Name) },
}

// Destinations are the API destinations, by BusKey of their name.
var Destinations = &Table[event.Destination]{
	ID: destinations, Noun: "api-destination", Schema: 1,
	Primary: func(d *event.Destination) string { return BusKey(d.Scope, d.Name) },
}
