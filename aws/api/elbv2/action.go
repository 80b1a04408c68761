package elbv2

import (
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// reader reads the actions of a listener or rule.
type reader struct {
	*API
	tx    *store.Tx
	call  *gateway.Call
	owner string            // ARN of the listener or rule
	have  []balancer.Action // those it had
}

// actions reads actions, checks them for a listener of the balancer, and that what they
// lead to can be led to.
func (r *reader) actions(b *balancer.Balancer, l *balancer.Listener, in []shape.Action) ([]balancer.Action, error) {
	var all []balancer.Action
	for n := range in {
		action, err := r.action(&in[n])
		if err != nil {
			return nil, err
		}
		all = append(all, action)
	}
	if err := balancer.CheckActions(all, l.Protocol); err != nil {
		return nil, err
	}
	return all, checkGroups(r.tx, b, l, all)
}

func (r *reader) action(in *shape.Action) (out balancer.Action, err error) {
	out = balancer.Action{Type: string(in.Type), Order: int(member.Value(in.Order))}
	switch in.Type {
	case shape.ActionTypeEnumForward:
		out.Forward, err = readForward(in)
	case shape.ActionTypeEnumRedirect:
		out.Redirect = readRedirect(in.RedirectConfig)
	case shape.ActionTypeEnumFixedResponse:
		out.Fixed = readFixed(in.FixedResponseConfig)
	case shape.ActionTypeEnumAuthenticateOidc:
		out.OIDC, err = r.oidc(in.AuthenticateOidcConfig)
	case shape.ActionTypeEnumAuthenticateCognito:
		out.OIDC, err = readCognito(in.AuthenticateCognitoConfig)
	case shape.ActionTypeEnumJwtValidation:
		out.JWT = readJWT(in.JwtValidationConfig)
	}
	return out, err
}

func readForward(in *shape.Action) (*balancer.ForwardAction, error) {
	group := member.Value(in.TargetGroupArn)
	config := in.ForwardConfig
	if config == nil {
		if group == "" {
			return nil, nil // the check refuses it
		}
		return &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: group, Weight: 1}}, Plain: true}, nil
	}
	out := &balancer.ForwardAction{Groups: member.Some(config.TargetGroups, readWeighted)}
	if group != "" && (len(out.Groups) != 1 || out.Groups[0].GroupARN != group) {
		return nil, invalid("You cannot specify both 'TargetGroupArn' and 'ForwardConfig' with different target groups")
	}
	if s := config.TargetGroupStickinessConfig; s != nil {
		out.Stickiness, out.StickinessSeconds = member.Value(s.Enabled), int(member.Value(s.DurationSeconds))
	}
	return out, nil
}

func readWeighted(in *shape.TargetGroupTuple) balancer.Weighted {
	out := balancer.Weighted{GroupARN: member.Value(in.TargetGroupArn), Weight: 1}
	if in.Weight != nil {
		out.Weight = int(*in.Weight)
	}
	return out
}

func readRedirect(in *shape.RedirectActionConfig) *balancer.RedirectAction {
	if in == nil {
		return nil
	}
	status, _ := strconv.Atoi(strings.TrimPrefix(string(in.StatusCode), "HTTP_")) // one of the model's
	return &balancer.RedirectAction{
		Protocol: or(in.Protocol, "#{protocol}"), Port: or(in.Port, "#{port}"), Host: or(in.Host, "#{host}"),
		Path: or(in.Path, "/#{path}"), Query: or(in.Query, "#{query}"), Status: status,
	}
}

// or is what a caller said, or else the other.
func or(said *string, other string) string {
	if said == nil {
		return other
	}
	return *said
}

func readFixed(in *shape.FixedResponseActionConfig) *balancer.FixedAction {
	if in == nil {
		return nil
	}
	status, _ := strconv.Atoi(*in.StatusCode) // the model admits numbers only
	return &balancer.FixedAction{Status: status, ContentType: member.Value(in.ContentType), Body: member.Value(in.MessageBody)}
}

const (
	defaultCookie  = "AWSELBAuthSessionCookie"
	defaultSession = 604800 // seconds
)

func (r *reader) oidc(in *shape.AuthenticateOidcActionConfig) (*balancer.OIDCAction, error) {
	if in == nil {
		return nil, invalid("An authenticate-oidc action must have an AuthenticateOidcConfig")
	}
	out := &balancer.OIDCAction{
		Issuer: *in.Issuer, AuthorizationEndpoint: *in.AuthorizationEndpoint, TokenEndpoint: *in.TokenEndpoint, UserInfoEndpoint: *in.UserInfoEndpoint,
		ClientID: *in.ClientId, SessionCookie: or(in.SessionCookieName, defaultCookie), Scope: or(in.Scope, "openid"), SessionSeconds: defaultSession,
		Extra: in.AuthenticationRequestExtraParams, OnUnauthenticated: string(in.OnUnauthenticatedRequest),
	}
	if in.SessionTimeout != nil {
		out.SessionSeconds = *in.SessionTimeout
	}
	if out.OnUnauthenticated == "" {
		out.OnUnauthenticated = string(shape.AuthenticateOidcActionConditionalBehaviorEnumAuthenticate)
	}
	var err error
	out.ClientSecret, err = r.secret(in)
	return out, err
}

// secret is the sealed client secret of an action: a new one, or the one that was there.
func (r *reader) secret(in *shape.AuthenticateOidcActionConfig) ([]byte, error) {
	if !member.Value(in.UseExistingClientSecret) {
		if in.ClientSecret == nil {
			return nil, invalid("A client secret must be specified")
		}
		return r.keyring.Seal(r.tx, r.call.Scope, r.owner, []byte(*in.ClientSecret), r.call.Now)
	}
	if in.ClientSecret != nil {
		return nil, invalid("You cannot specify a client secret when you use the existing one")
	}
	for _, a := range r.have {
		if a.OIDC != nil && len(a.OIDC.ClientSecret) > 0 {
			return a.OIDC.ClientSecret, nil
		}
	}
	return nil, fault.New(fault.InvalidLoadBalancerAction, "There is no existing client secret to use")
}

func readCognito(in *shape.AuthenticateCognitoActionConfig) (*balancer.OIDCAction, error) {
	if in == nil {
		return nil, invalid("An authenticate-cognito action must have an AuthenticateCognitoConfig")
	}
	out := &balancer.OIDCAction{
		UserPoolARN: *in.UserPoolArn, UserPoolDomain: *in.UserPoolDomain, ClientID: *in.UserPoolClientId,
		SessionCookie: or(in.SessionCookieName, defaultCookie), Scope: or(in.Scope, "openid"), SessionSeconds: defaultSession,
		Extra: in.AuthenticationRequestExtraParams, OnUnauthenticated: string(in.OnUnauthenticatedRequest),
	}
	if in.SessionTimeout != nil {
		out.SessionSeconds = *in.SessionTimeout
	}
	if out.OnUnauthenticated == "" {
		out.OnUnauthenticated = string(shape.AuthenticateCognitoActionConditionalBehaviorEnumAuthenticate)
	}
	return out, nil
}

func readJWT(in *shape.JwtValidationActionConfig) *balancer.JWTAction {
	if in == nil {
		return nil
	}
	return &balancer.JWTAction{
		JWKSEndpoint: *in.JwksEndpoint, Issuer: *in.Issuer,
		Claims: member.Some(in.AdditionalClaims, func(c *shape.JwtValidationActionAdditionalClaim) balancer.Claim {
			return balancer.Claim{Name: *c.Name, Format: string(c.Format), Values: c.Values}
		}),
	}
}
