// Package events answers the operations of Amazon EventBridge that have to do with
// rules, their targets, event buses and API destinations. The events themselves
// are carried by plane/bus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html
//
// A file holds the operations of one resource. What the model constrains is
// checked before a handler is called; here is what it does not say.
package events

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

// Publisher takes events to the rules that listen for them.
type Publisher interface {
	Publish(event.Event)
}

// Config is what the API is built from.
type Config struct {
	Store store.Store
	Bus   Publisher
	// NewID gives 32 random hex digits. nil means crypto/rand.
	NewID func() string
}

// API answers EventBridge.
type API struct {
	store store.Store
	bus   Publisher
	newID func() string
}

// New makes the API.
func New(c Config) *API {
	a := &API{store: c.Store, bus: c.Bus, newID: c.NewID}
	if a.newID == nil {
		a.newID = randomID
	}
	return a
}

func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// uuid is a fresh id in the form of a UUID.
func (a *API) uuid() string {
	return arn.UUID(a.newID())
}

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"PutRule":               gateway.Handle(a.putRule),
		"DeleteRule":            gateway.Handle(a.deleteRule),
		"DescribeRule":          gateway.Handle(a.describeRule),
		"ListRules":             gateway.Handle(a.listRules),
		"EnableRule":            gateway.Handle(a.enableRule),
		"DisableRule":           gateway.Handle(a.disableRule),
		"ListRuleNamesByTarget": gateway.Handle(a.listRuleNamesByTarget),

		"PutTargets":        gateway.Handle(a.putTargets),
		"RemoveTargets":     gateway.Handle(a.removeTargets),
		"ListTargetsByRule": gateway.Handle(a.listTargetsByRule),

		"PutEvents":        gateway.Handle(a.putEvents),
		"TestEventPattern": gateway.Handle(a.testEventPattern),

		"CreateEventBus":   gateway.Handle(a.createEventBus),
		"DescribeEventBus": gateway.Handle(a.describeEventBus),
		"ListEventBuses":   gateway.Handle(a.listEventBuses),
		"DeleteEventBus":   gateway.Handle(a.deleteEventBus),

		"CreateConnection":   gateway.Handle(a.createConnection),
		"DescribeConnection": gateway.Handle(a.describeConnection),
		"ListConnections":    gateway.Handle(a.listConnections),
		"DeleteConnection":   gateway.Handle(a.deleteConnection),

		"CreateApiDestination":   gateway.Handle(a.createAPIDestination),
		"DescribeApiDestination": gateway.Handle(a.describeAPIDestination),
		"ListApiDestinations":    gateway.Handle(a.listAPIDestinations),
		"DeleteApiDestination":   gateway.Handle(a.deleteAPIDestination),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTagsForResource),
	}
}
