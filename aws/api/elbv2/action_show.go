package elbv2

import (
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
)

func showActions(all []balancer.Action) []shape.Action { return member.Each(all, showAction) }

// showAction gives an action back as it came: without what its maker left out, and
// without the client secret.
func showAction(a *balancer.Action) shape.Action {
	out := shape.Action{Type: shape.ActionTypeEnum(a.Type), Order: member.Present(int32(a.Order))}
	switch {
	case a.Forward != nil && a.Forward.Plain:
		out.TargetGroupArn = &a.Forward.Groups[0].GroupARN
	case a.Forward != nil:
		out.ForwardConfig = showForward(a.Forward)
	case a.Redirect != nil:
		out.RedirectConfig = showRedirect(a.Redirect)
	case a.Fixed != nil:
		out.FixedResponseConfig = &shape.FixedResponseActionConfig{
			StatusCode: new(strconv.Itoa(a.Fixed.Status)), ContentType: member.Present(a.Fixed.ContentType), MessageBody: member.Present(a.Fixed.Body),
		}
	case a.Type == balancer.AuthenticateCognito:
		out.AuthenticateCognitoConfig = showCognito(a.OIDC)
	case a.OIDC != nil:
		out.AuthenticateOidcConfig = showOIDC(a.OIDC)
	case a.JWT != nil:
		out.JwtValidationConfig = showJWT(a.JWT)
	}
	return out
}

func showForward(f *balancer.ForwardAction) *shape.ForwardActionConfig {
	out := &shape.ForwardActionConfig{TargetGroups: member.Each(f.Groups, func(w *balancer.Weighted) shape.TargetGroupTuple {
		return shape.TargetGroupTuple{TargetGroupArn: &w.GroupARN, Weight: new(int32(w.Weight))}
	})}
	if f.Stickiness || f.StickinessSeconds != 0 {
		out.TargetGroupStickinessConfig = &shape.TargetGroupStickinessConfig{Enabled: &f.Stickiness, DurationSeconds: member.Present(int32(f.StickinessSeconds))}
	}
	return out
}

func showRedirect(r *balancer.RedirectAction) *shape.RedirectActionConfig {
	return &shape.RedirectActionConfig{
		Protocol: &r.Protocol, Port: &r.Port, Host: &r.Host, Path: &r.Path, Query: &r.Query,
		StatusCode: shape.RedirectActionStatusCodeEnum("HTTP_" + strconv.Itoa(r.Status)),
	}
}

func showOIDC(o *balancer.OIDCAction) *shape.AuthenticateOidcActionConfig {
	return &shape.AuthenticateOidcActionConfig{
		Issuer: &o.Issuer, AuthorizationEndpoint: &o.AuthorizationEndpoint, TokenEndpoint: &o.TokenEndpoint, UserInfoEndpoint: &o.UserInfoEndpoint,
		ClientId: &o.ClientID, SessionCookieName: &o.SessionCookie, Scope: &o.Scope, SessionTimeout: &o.SessionSeconds,
		AuthenticationRequestExtraParams: o.Extra, OnUnauthenticatedRequest: shape.AuthenticateOidcActionConditionalBehaviorEnum(o.OnUnauthenticated),
	}
}

func showCognito(o *balancer.OIDCAction) *shape.AuthenticateCognitoActionConfig {
	return &shape.AuthenticateCognitoActionConfig{
		UserPoolArn: &o.UserPoolARN, UserPoolClientId: &o.ClientID, UserPoolDomain: &o.UserPoolDomain,
		SessionCookieName: &o.SessionCookie, Scope: &o.Scope, SessionTimeout: &o.SessionSeconds,
		AuthenticationRequestExtraParams: o.Extra, OnUnauthenticatedRequest: shape.AuthenticateCognitoActionConditionalBehaviorEnum(o.OnUnauthenticated),
	}
}

func showJWT(j *balancer.JWTAction) *shape.JwtValidationActionConfig {
	return &shape.JwtValidationActionConfig{
		JwksEndpoint: &j.JWKSEndpoint, Issuer: &j.Issuer,
		AdditionalClaims: member.Some(j.Claims, func(c *balancer.Claim) shape.JwtValidationActionAdditionalClaim {
			return shape.JwtValidationActionAdditionalClaim{
				Name: &c.Name, Format: shape.JwtValidationActionAdditionalClaimFormatEnum(c.Format), Values: c.Values,
			}
		}),
	}
}
