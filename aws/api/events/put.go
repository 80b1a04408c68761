package events

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) putEvents(_ context.Context, call *gateway.Call, in *events.PutEventsRequest) (*events.PutEventsResponse, error) {
	if in.EndpointId != nil {
		return nil, invalid("Global endpoints are not supported.").WithHint("leave EndpointId out")
	}
	total := 0
	for i := range in.Entries {
		total += entrySize(&in.Entries[i])
	}
	if total > event.MaxEntryBytes {
		return nil, invalid("Total size of the entries in the request is over the limit.").WithHint("send at most %d KB at once", event.MaxEntryBytes>>10)
	}
	out := &events.PutEventsResponse{FailedEntryCount: new(int32(0))}
	v := a.store.View()
	for i := range in.Entries {
		e, refused := a.readEntry(v, call, &in.Entries[i])
		if refused != nil {
			*out.FailedEntryCount++
			out.Entries = append(out.Entries, *refused)
			continue
		}
		a.bus.Publish(*e)
		out.Entries = append(out.Entries, events.PutEventsResultEntry{EventId: &e.ID})
	}
	return out, nil
}

// entrySize is the size of an entry as AWS counts it.
func entrySize(in *events.PutEventsRequestEntry) int {
	n := len(member.Value(in.Source)) + len(member.Value(in.DetailType)) + len(member.Value(in.Detail))
	if in.Time != nil {
		n += 14
	}
	for _, r := range in.Resources {
		n += len(r)
	}
	return n
}

// readEntry makes the event of an entry, or says why not.
func (a *API) readEntry(r store.Reader, call *gateway.Call, in *events.PutEventsRequestEntry) (*event.Event, *events.PutEventsResultEntry) {
	refuse := func(code, message string) (*event.Event, *events.PutEventsResultEntry) {
		return nil, &events.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message}
	}
	required := func(name string) (*event.Event, *events.PutEventsResultEntry) {
		return refuse("InvalidArgument", "Parameter "+name+" is not valid. Reason: "+name+" is a required argument.")
	}
	source := member.Value(in.Source)
	switch {
	case source == "":
		return required("Source")
	case member.Value(in.DetailType) == "":
		return required("DetailType")
	case member.Value(in.Detail) == "":
		return required("Detail")
	case strings.HasPrefix(source, "aws.") || strings.HasPrefix(source, "berth."):
		return refuse("NotAuthorizedForSourceException", "Not authorized for the source.")
	case !isObject(*in.Detail):
		return refuse("MalformedDetail", "Detail is malformed.")
	}
	b, err := findBus(r, call.Scope, in.EventBusName)
	if err != nil {
		return refuse("InvalidArgument", fault.Of(err).Message)
	}
	e := &event.Event{
		Bus: b.Name, ID: a.uuid(), DetailType: *in.DetailType, Source: source, Scope: call.Scope, Time: call.Now,
		Resources: in.Resources, Detail: json.RawMessage(*in.Detail),
	}
	if in.Time != nil {
		e.Time = *in.Time
	}
	return e, nil
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// required are the members an event must have.
var required = []string{"id", "account", "source", "time", "region", "resources", "detail-type"}

func (a *API) testEventPattern(_ context.Context, _ *gateway.Call, in *events.TestEventPatternRequest) (*events.TestEventPatternResponse, error) {
	p, err := event.ParsePattern(*in.EventPattern)
	if err != nil {
		return nil, err
	}
	decoded, err := event.Decode([]byte(*in.Event))
	object, ok := decoded.(map[string]any)
	if err != nil || !ok {
		return nil, invalid("Parameter Event is not valid. Reason: it is not a JSON object.")
	}
	for _, name := range required {
		if _, ok := object[name]; !ok {
			return nil, invalid("Parameter Event is not valid. Reason: %s is a required argument.", name)
		}
	}
	return &events.TestEventPatternResponse{Result: new(p.Matches(object))}, nil
}

// scoped tells whether an ARN is of the service, in the scope, and of the kind.
func scoped(scope arn.Scope, text, kind string) (arn.ARN, bool) {
	a, err := arn.Parse(text)
	return a, err == nil && a.Service == "events" && a.Scope() == scope && a.Kind() == kind
}
