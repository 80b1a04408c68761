package events

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) createConnection(ctx context.Context, call *gateway.Call, in *events.CreateConnectionRequest) (*events.CreateConnectionResponse, error) {
	c := &event.Connection{
		Scope: call.Scope, Name: *in.Name, ARN: call.Scope.Of("events", "connection/"+*in.Name+"/"+a.uuid()), Description: member.Value(in.Description),
		Auth: string(in.AuthorizationType), CreatedAt: call.Now, ChangedAt: call.Now,
	}
	if err := readAuth(c, in); err != nil {
		return nil, err
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Connections.Get(tx, store.BusKey(c.Scope, c.Name)); ok {
			return fault.New(fault.ResourceAlreadyExists, "Connection '%s' already exists.", c.Name)
		}
		store.Connections.Put(tx, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.CreateConnectionResponse{
		ConnectionArn: &c.ARN, ConnectionState: events.ConnectionStateAuthorized, CreationTime: member.Time(c.CreatedAt), LastModifiedTime: member.Time(c.ChangedAt),
	}, nil
}

func readAuth(c *event.Connection, in *events.CreateConnectionRequest) error {
	p := in.AuthParameters
	switch {
	case in.InvocationConnectivityParameters != nil || p.ConnectivityParameters != nil || in.KmsKeyIdentifier != nil:
		return invalid("Private connectivity and KMS keys are not supported for connections.").WithHint("leave them out")
	case c.Auth == event.BasicAuth && p.BasicAuthParameters != nil:
		c.User, c.Secret = *p.BasicAuthParameters.Username, *p.BasicAuthParameters.Password
	case c.Auth == event.APIKeyAuth && p.ApiKeyAuthParameters != nil:
		c.User, c.Secret = *p.ApiKeyAuthParameters.ApiKeyName, *p.ApiKeyAuthParameters.ApiKeyValue
	case c.Auth == string(events.ConnectionAuthorizationTypeOauthClientCredentials):
		return invalid("The authorization type %s is not supported.", c.Auth).WithHint("use BASIC or API_KEY")
	default:
		return invalid("Parameters of the authorization type %s are missing.", c.Auth).WithHint("BASIC wants BasicAuthParameters, API_KEY wants ApiKeyAuthParameters")
	}
	if h := p.InvocationHttpParameters; h != nil {
		c.Headers = member.Some(h.HeaderParameters, func(p *events.ConnectionHeaderParameter) event.Parameter {
			return event.Parameter{Key: member.Value(p.Key), Value: member.Value(p.Value), Secret: member.Value(p.IsValueSecret)}
		})

		c.Query = member.Some(h.QueryStringParameters, func(p *events.ConnectionQueryStringParameter) event.Parameter {
			return event.Parameter{Key: member.Value(p.Key), Value: member.Value(p.Value), Secret: member.Value(p.IsValueSecret)}
		})

		c.Body = member.Some(h.BodyParameters, func(p *events.ConnectionBodyParameter) event.Parameter {
			return event.Parameter{Key: member.Value(p.Key), Value: member.Value(p.Value), Secret: member.Value(p.IsValueSecret)}
		})

	}
	return nil
}

// findConnection finds one by name.
func findConnection(r store.Reader, scope arn.Scope, name string) (*event.Connection, error) {
	c, ok := store.Connections.Get(r, store.BusKey(scope, name))
	if !ok {
		return nil, missing("Failed to describe the connection(s). Connection '%s' does not exist.", name)
	}
	return c, nil
}

func (a *API) describeConnection(_ context.Context, call *gateway.Call, in *events.DescribeConnectionRequest) (*events.DescribeConnectionResponse, error) {
	c, err := findConnection(a.store.View(), call.Scope, *in.Name)
	if err != nil {
		return nil, err
	}
	return &events.DescribeConnectionResponse{
		ConnectionArn: &c.ARN, Name: &c.Name, Description: member.Present(c.Description), ConnectionState: events.ConnectionStateAuthorized,
		AuthorizationType: events.ConnectionAuthorizationType(c.Auth), AuthParameters: showAuth(c),
		CreationTime: member.Time(c.CreatedAt), LastModifiedTime: member.Time(c.ChangedAt), LastAuthorizedTime: member.Time(c.ChangedAt),
	}, nil
}

// showAuth shows everything but secrets.
func showAuth(c *event.Connection) *events.ConnectionAuthResponseParameters {
	out := &events.ConnectionAuthResponseParameters{}
	if c.Auth == event.BasicAuth {
		out.BasicAuthParameters = &events.ConnectionBasicAuthResponseParameters{Username: &c.User}
	} else {
		out.ApiKeyAuthParameters = &events.ConnectionApiKeyAuthResponseParameters{ApiKeyName: &c.User}
	}
	if len(c.Headers)+len(c.Query)+len(c.Body) == 0 {
		return out
	}
	out.InvocationHttpParameters = &events.ConnectionHttpParameters{
		HeaderParameters: member.Some(c.Headers, func(p *event.Parameter) events.ConnectionHeaderParameter {
			return events.ConnectionHeaderParameter{Key: &p.Key, Value: open(p), IsValueSecret: &p.Secret}
		}),

		QueryStringParameters: member.Some(c.Query, func(p *event.Parameter) events.ConnectionQueryStringParameter {
			return events.ConnectionQueryStringParameter{Key: &p.Key, Value: open(p), IsValueSecret: &p.Secret}
		}),

		BodyParameters: member.Some(c.Body, func(p *event.Parameter) events.ConnectionBodyParameter {
			return events.ConnectionBodyParameter{Key: &p.Key, Value: open(p), IsValueSecret: &p.Secret}
		}),
	}
	return out
}

// open is the value of a parameter that is no secret.
func open(p *event.Parameter) *string {
	if p.Secret {
		return nil
	}
	return &p.Value
}

func (a *API) listConnections(_ context.Context, call *gateway.Call, in *events.ListConnectionsRequest) (*events.ListConnectionsResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, next := fill(p, store.Connections.Prefix(a.store.View(), store.BusKey(call.Scope, "")), func(c *event.Connection) string { return c.Name },
		func(c *event.Connection) bool {
			return strings.HasPrefix(c.Name, member.Value(in.NamePrefix)) && (in.ConnectionState == "" || in.ConnectionState == events.ConnectionStateAuthorized)
		})
	return &events.ListConnectionsResponse{NextToken: next, Connections: member.Each(list, func(c **event.Connection) events.Connection {
		return events.Connection{
			ConnectionArn: &(*c).ARN, Name: &(*c).Name, ConnectionState: events.ConnectionStateAuthorized,
			AuthorizationType: events.ConnectionAuthorizationType((*c).Auth),
			CreationTime:      member.Time((*c).CreatedAt), LastModifiedTime: member.Time((*c).ChangedAt), LastAuthorizedTime: member.Time((*c).ChangedAt),
		}
	})}, nil
}

func (a *API) deleteConnection(ctx context.Context, call *gateway.Call, in *events.DeleteConnectionRequest) (*events.DeleteConnectionResponse, error) {
	var c *event.Connection
	_, err := a.store.Update(ctx, func(tx *store.Tx) (err error) {
		if c, err = findConnection(tx, call.Scope, *in.Name); err != nil {
			return err
		}
		store.Connections.Delete(tx, store.BusKey(c.Scope, c.Name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.DeleteConnectionResponse{
		ConnectionArn: &c.ARN, ConnectionState: events.ConnectionStateDeleting, CreationTime: member.Time(c.CreatedAt),
		LastModifiedTime: member.Time(c.ChangedAt), LastAuthorizedTime: member.Time(c.ChangedAt),
	}, nil
}
