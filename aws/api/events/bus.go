package events

import (
	"context"
	"iter"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxBuses is how many event buses an account has in a region, the default one
// among them.
const maxBuses = 100

// findBus resolves a bus by name or ARN; none means the default one.
func findBus(r store.Reader, scope arn.Scope, ref *string) (*event.Bus, error) {
	name := event.DefaultBus
	if ref != nil {
		name = *ref
	}
	if arn.IsARN(name) {
		a, err := arn.Parse(name)
		if err != nil || a.Scope() != scope {
			return nil, missing("Event bus %s does not exist.", name)
		}
		name = strings.TrimPrefix(a.Resource, "event-bus/")
	}
	if name == event.DefaultBus {
		return &event.Bus{Scope: scope, Name: name, ARN: busARN(scope, name)}, nil
	}
	b, ok := store.EventBuses.Get(r, store.BusKey(scope, name))
	if !ok {
		return nil, missing("Event bus %s does not exist.", name)
	}
	return b, nil
}

func busARN(scope arn.Scope, name string) string { return scope.Of("events", "event-bus/"+name) }

func (a *API) createEventBus(ctx context.Context, call *gateway.Call, in *events.CreateEventBusRequest) (*events.CreateEventBusResponse, error) {
	name := *in.Name
	switch {
	case in.EventSourceName != nil || strings.HasPrefix(name, "aws."):
		return nil, invalid("Partner event buses are not supported.").WithHint("choose a name that does not begin with aws.")
	case strings.Contains(name, "/"):
		return nil, invalid("Event bus name contains invalid characters.").WithHint("names have letters, digits, and . - _")
	case in.DeadLetterConfig != nil || in.LogConfig != nil || in.KmsKeyIdentifier != nil:
		return nil, invalid("DeadLetterConfig, LogConfig and KmsKeyIdentifier are not supported for event buses.").WithHint("leave them out")
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	b := &event.Bus{
		Scope: call.Scope, Name: name, ARN: busARN(call.Scope, name), Description: member.Value(in.Description), Tags: tags,
		CreatedAt: call.Now, ChangedAt: call.Now,
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findBus(tx, call.Scope, &name); err == nil {
			return fault.New(fault.ResourceAlreadyExists, "Event bus %s already exists.", name)
		}
		count := 1
		for range store.EventBuses.Prefix(tx, store.BusKey(call.Scope, "")) {
			count++
		}
		if count >= maxBuses {
			return tooMany().WithHint("an account has at most %d event buses in a region", maxBuses)
		}
		store.EventBuses.Put(tx, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.CreateEventBusResponse{EventBusArn: &b.ARN, Description: member.Present(b.Description)}, nil
}

func (a *API) describeEventBus(_ context.Context, call *gateway.Call, in *events.DescribeEventBusRequest) (*events.DescribeEventBusResponse, error) {
	b, err := findBus(a.store.View(), call.Scope, in.Name)
	if err != nil {
		return nil, err
	}
	return &events.DescribeEventBusResponse{
		Name: &b.Name, Arn: &b.ARN, Description: member.Present(b.Description), CreationTime: member.Time(b.CreatedAt), LastModifiedTime: member.Time(b.ChangedAt),
	}, nil
}

func (a *API) listEventBuses(_ context.Context, call *gateway.Call, in *events.ListEventBusesRequest) (*events.ListEventBusesResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, next := fill(p, buses(a.store.View(), call.Scope), func(b *event.Bus) string { return b.Name }, func(b *event.Bus) bool {
		return strings.HasPrefix(b.Name, member.Value(in.NamePrefix))
	})
	return &events.ListEventBusesResponse{NextToken: next, EventBuses: member.Each(list, func(b **event.Bus) events.EventBus {
		return events.EventBus{
			Name: &(*b).Name, Arn: &(*b).ARN, Description: member.Present((*b).Description), CreationTime: member.Time((*b).CreatedAt), LastModifiedTime: member.Time((*b).ChangedAt),
		}
	})}, nil
}

// buses yields all event buses in order of name, the default one in its place.
func buses(r store.Reader, scope arn.Scope) iter.Seq[*event.Bus] {
	return func(yield func(*event.Bus) bool) {
		common := &event.Bus{Name: event.DefaultBus, ARN: busARN(scope, event.DefaultBus)}
		for b := range store.EventBuses.Prefix(r, store.BusKey(scope, "")) {
			if common != nil && b.Name > common.Name {
				if !yield(common) {
					return
				}
				common = nil
			}
			if !yield(b) {
				return
			}
		}
		if common != nil {
			yield(common)
		}
	}
}

func (a *API) deleteEventBus(ctx context.Context, call *gateway.Call, in *events.DeleteEventBusRequest) (*wire.Empty, error) {
	if *in.Name == event.DefaultBus {
		return nil, invalid("Cannot delete event bus default.")
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		for range store.Rules.Prefix(tx, store.RuleKey(call.Scope, *in.Name, "")) {
			return invalid("Event bus %s can't be deleted since it has rules.", *in.Name).WithHint("delete them first: aws events list-rules --event-bus-name %s", *in.Name)
		}
		store.EventBuses.Delete(tx, store.BusKey(call.Scope, *in.Name))
		return nil
	})
	return &wire.Empty{}, err
}
