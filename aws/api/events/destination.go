package events

import (
	"context"
	"net/url"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// defaultRate is how many requests a second an API destination gets at most.
const defaultRate = 300

func (a *API) createAPIDestination(ctx context.Context, call *gateway.Call, in *events.CreateApiDestinationRequest) (*events.CreateApiDestinationResponse, error) {
	if err := checkEndpoint(*in.InvocationEndpoint); err != nil {
		return nil, err
	}
	d := &event.Destination{
		Scope: call.Scope, Name: *in.Name, ARN: call.Scope.Of("events", "api-destination/"+*in.Name+"/"+a.uuid()), Description: member.Value(in.Description),
		ConnectionARN: *in.ConnectionArn, Endpoint: *in.InvocationEndpoint, Method: string(in.HttpMethod), RatePerSecond: defaultRate,
		CreatedAt: call.Now, ChangedAt: call.Now,
	}
	if in.InvocationRateLimitPerSecond != nil {
		d.RatePerSecond = int(*in.InvocationRateLimitPerSecond)
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if !connected(tx, d) {
			return missing("Connection '%s' does not exist.", d.ConnectionARN)
		}
		if _, ok := store.Destinations.Get(tx, store.BusKey(d.Scope, d.Name)); ok {
			return fault.New(fault.ResourceAlreadyExists, "An api-destination '%s' already exists.", d.Name)
		}
		store.Destinations.Put(tx, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.CreateApiDestinationResponse{
		ApiDestinationArn: &d.ARN, ApiDestinationState: events.ApiDestinationStateActive, CreationTime: member.Time(d.CreatedAt), LastModifiedTime: member.Time(d.ChangedAt),
	}, nil
}

// checkEndpoint takes http as well as AWS's https: endpoints may be on this
// machine.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(strings.ReplaceAll(endpoint, "*", "x"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return invalid("Parameter InvocationEndpoint is not valid. Reason: it is not an HTTP URL.").WithHint("write https://HOST/PATH")
	}
	return nil
}

// connected tells whether a destination's connection is there.
func connected(r store.Reader, d *event.Destination) bool {
	a, ok := scoped(d.Scope, d.ConnectionARN, "connection")
	if !ok || len(a.Path()) == 0 {
		return false
	}
	c, ok := store.Connections.Get(r, store.BusKey(d.Scope, a.Path()[0]))
	return ok && c.ARN == d.ConnectionARN
}

func findDestination(r store.Reader, scope arn.Scope, name string) (*event.Destination, error) {
	d, ok := store.Destinations.Get(r, store.BusKey(scope, name))
	if !ok {
		return nil, missing("Failed to describe the api-destination(s). An api-destination '%s' does not exist.", name)
	}
	return d, nil
}

func (a *API) describeAPIDestination(_ context.Context, call *gateway.Call, in *events.DescribeApiDestinationRequest) (*events.DescribeApiDestinationResponse, error) {
	v := a.store.View()
	d, err := findDestination(v, call.Scope, *in.Name)
	if err != nil {
		return nil, err
	}
	s := showDestination(v, d)
	return &events.DescribeApiDestinationResponse{
		ApiDestinationArn: s.ApiDestinationArn, Name: s.Name, Description: member.Present(d.Description), ApiDestinationState: s.ApiDestinationState,
		ConnectionArn: s.ConnectionArn, InvocationEndpoint: s.InvocationEndpoint, HttpMethod: s.HttpMethod,
		InvocationRateLimitPerSecond: s.InvocationRateLimitPerSecond, CreationTime: s.CreationTime, LastModifiedTime: s.LastModifiedTime,
	}, nil
}

func showDestination(r store.Reader, d *event.Destination) events.ApiDestination {
	state := events.ApiDestinationStateActive
	if !connected(r, d) {
		state = events.ApiDestinationStateInactive
	}
	return events.ApiDestination{
		ApiDestinationArn: &d.ARN, Name: &d.Name, ApiDestinationState: state, ConnectionArn: &d.ConnectionARN, InvocationEndpoint: &d.Endpoint,
		HttpMethod: events.ApiDestinationHttpMethod(d.Method), InvocationRateLimitPerSecond: new(int32(d.RatePerSecond)),
		CreationTime: member.Time(d.CreatedAt), LastModifiedTime: member.Time(d.ChangedAt),
	}
}

func (a *API) listAPIDestinations(_ context.Context, call *gateway.Call, in *events.ListApiDestinationsRequest) (*events.ListApiDestinationsResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	list, next := fill(p, store.Destinations.Prefix(v, store.BusKey(call.Scope, "")), func(d *event.Destination) string { return d.Name },
		func(d *event.Destination) bool {
			return strings.HasPrefix(d.Name, member.Value(in.NamePrefix)) && (in.ConnectionArn == nil || *in.ConnectionArn == d.ConnectionARN)
		})
	return &events.ListApiDestinationsResponse{NextToken: next, ApiDestinations: member.Each(list, func(d **event.Destination) events.ApiDestination {
		return showDestination(v, *d)
	})}, nil
}

func (a *API) deleteAPIDestination(ctx context.Context, call *gateway.Call, in *events.DeleteApiDestinationRequest) (*events.DeleteApiDestinationResponse, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		d, err := findDestination(tx, call.Scope, *in.Name)
		if err != nil {
			return err
		}
		store.Destinations.Delete(tx, store.BusKey(d.Scope, d.Name))
		return nil
	})
	return &events.DeleteApiDestinationResponse{}, err
}
