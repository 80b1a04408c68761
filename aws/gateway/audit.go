package gateway

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/trail"
)

// audit writes who asked for what, and what came of it. What only read is of the
// level DEBUG and without parameters; those of all else are there, without secrets.
func (x *exchange) audit(took time.Duration) {
	level := slog.LevelInfo
	if x.fault == nil && readsOnly(x.call.Operation) {
		level = slog.LevelDebug
	}
	log, ctx := x.gateway.Audit, context.Background() // the request's own may have ended
	if log.Enabled(ctx, level) {
		log.LogAttrs(ctx, level, "request", trail.Attr(func() *trail.Record { return x.record(took) }))
	}
}

// auditInner writes what a call from inside berth was, and what came of it.
func (g *Gateway) auditInner(call *Call, needed []Need, in any, err error) {
	g.Audit.LogAttrs(context.Background(), slog.LevelInfo, "request", trail.Attr(func() *trail.Record {
		r := recordOf(call, needed, g.Clock().Sub(call.Now))
		r.EventSource, r.RequestParameters = eventSource(call.Service, nil), Redacted(in).LogValue().Any()
		r.SourceIPAddress, r.EventType = "berth.internal", "AwsServiceEvent"
		if err != nil {
			f := fault.Of(err)
			r.ErrorCode, r.ErrorMessage, r.Additional.Status = f.Kind.Code(fault.JSON), f.Message, f.Kind.Status()
		}
		return r
	}))
}

func (x *exchange) record(took time.Duration) *trail.Record {
	r := recordOf(&x.call, x.needed, took)
	r.EventSource = eventSource(x.call.Service, x.request)
	r.Additional.Status = x.w.status
	family := fault.JSON
	if x.request != nil {
		family = x.request.Protocol.Family()
	}
	if x.fault != nil {
		r.ErrorCode, r.ErrorMessage = x.fault.Kind.Code(family), x.fault.Message
		if x.call.Service == "s3" {
			_, r.ErrorCode = x.fault.Kind.OnS3()
		}
	}
	if x.in != nil && (x.fault != nil || !r.ReadOnly) {
		r.RequestParameters = Redacted(x.in).LogValue().Any()
	}
	return r
}

// recordOf is what a call alone tells.
func recordOf(call *Call, needed []Need, took time.Duration) *trail.Record {
	r := &trail.Record{
		EventVersion: trail.Version, UserIdentity: identityOf(call), EventTime: call.Now.UTC().Truncate(time.Second), EventName: call.Operation,
		AWSRegion: call.Scope.Region, UserAgent: call.UserAgent, RequestID: call.ID, EventID: uuid.NewString(), ReadOnly: readsOnly(call.Operation),
		EventType: "AwsApiCall", ManagementEvent: true, EventCategory: "Management", RecipientAccount: call.Scope.Account,
		Additional: trail.Additional{Millis: milliseconds(took)},
	}
	if call.Source.IsValid() {
		r.SourceIPAddress = call.Source.String()
	}
	for _, need := range needed {
		r.Additional.Needed = append(r.Additional.Needed, need.Action)
		for _, resource := range need.Resources {
			a, _ := arn.Parse(resource) // a wildcard has no account
			r.Resources = append(r.Resources, trail.Resource{AccountID: a.Account, ARN: resource})
		}
	}
	return r
}

// eventSource is what CloudTrail calls the service.
func eventSource(service string, request *wire.Request) string {
	scope := service
	if request != nil && request.Service != nil {
		scope = request.Service.Scope
	}
	switch scope {
	case "":
		return ""
	case "application-autoscaling":
		scope = "autoscaling"
	}
	return scope + ".amazonaws.com"
}

func identityOf(call *Call) trail.Identity {
	p := &call.Principal
	id := trail.Identity{Type: string(p.Kind), PrincipalID: p.UserID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: call.KeyID}
	switch {
	case p.Kind == "":
		id.Type = "Unknown"
	case call.Granted != nil && call.Granted.Federated:
		id.Type = "FederatedUser"
	case p.Kind == identity.User:
		id.Type, id.UserName = "IAMUser", arn.NameOf(p.ARN)
	case p.Kind == identity.Service:
		id.Type = "AWSService"
	}
	if call.Session {
		id.SessionContext = sessionOf(call)
	}
	return id
}

func sessionOf(call *Call) *trail.SessionContext {
	p := &call.Principal
	s := &trail.SessionContext{Attributes: trail.Attributes{CreationDate: call.IssuedAt.UTC().Truncate(time.Second), MFAAuthenticated: "false"}}
	if call.Granted != nil {
		s.SourceIdentity = call.Granted.SourceIdentity
		s.Attributes.MFAAuthenticated = strconv.FormatBool(call.Granted.MFA)
	}
	if p.RoleARN != "" {
		id, _, _ := strings.Cut(p.UserID, ":")
		s.SessionIssuer = &trail.Issuer{Type: "Role", PrincipalID: id, ARN: p.RoleARN, AccountID: p.Account, UserName: arn.NameOf(p.RoleARN)}
	}
	return s
}

// readsOnly tells by the name, as CloudTrail's readOnly does.
func readsOnly(operation string) bool {
	for _, verb := range []string{"Describe", "List", "Get", "BatchGet", "BatchCheck", "Filter", "Discover"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}
