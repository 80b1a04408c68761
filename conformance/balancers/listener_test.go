package balancers_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// What Terraform's aws_lb_listener does, and that it reads what it sent.
func TestListenerLivesAsTerraformAsks(t *testing.T) {
	h := open(t)
	b, first, second := h.alb("web"), h.certificate("one"), h.certificate("two")
	blue, green := h.targets("blue", types.ProtocolEnumHttp), h.targets("green", types.ProtocolEnumHttp)
	sent := []types.Action{{
		Type: types.ActionTypeEnumForward, Order: new(int32(1)), ForwardConfig: &types.ForwardActionConfig{
			TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: &blue, Weight: new(int32(90))}, {TargetGroupArn: &green, Weight: new(int32(0))}},
			TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: new(true), DurationSeconds: new(int32(600))},
		},
	}}
	l := done[*elb.CreateListenerOutput](t)(h.CreateListener(background, &elb.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: new(int32(443)), DefaultActions: sent,
		Certificates: []types.Certificate{{CertificateArn: &first}}, SslPolicy: new("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	})).Listeners[0]
	name := l.ListenerArn
	equal(t, "actions", l.DefaultActions, sent)
	equal(t, "certificates", l.Certificates, []types.Certificate{{CertificateArn: &first}})
	equal(t, "mutual authentication", *l.MutualAuthentication.Mode, "off")
	read := done[*elb.DescribeListenersOutput](t)(h.DescribeListeners(background, &elb.DescribeListenersInput{ListenerArns: []string{*name}}))
	equal(t, "read back", read.Listeners[0], l)

	hsts := types.ListenerAttribute{Key: new("routing.http.response.strict_transport_security.header_value"), Value: new("max-age=1")}
	attributes := done[*elb.ModifyListenerAttributesOutput](t)(h.ModifyListenerAttributes(background, &elb.ModifyListenerAttributesInput{
		ListenerArn: name, Attributes: []types.ListenerAttribute{hsts},
	})).Attributes
	all := done[*elb.DescribeListenerAttributesOutput](t)(h.DescribeListenerAttributes(background, &elb.DescribeListenerAttributesInput{ListenerArn: name}))
	equal(t, "attributes read back", all.Attributes, attributes)
	equal(t, "how many attributes", len(attributes), 19)

	h.secondCertificate(name, first, second)

	plain := []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &green}}
	changed := done[*elb.ModifyListenerOutput](t)(h.ModifyListener(background, &elb.ModifyListenerInput{ListenerArn: name, Port: new(int32(8080)), Protocol: types.ProtocolEnumHttp, DefaultActions: plain})).Listeners[0]
	equal(t, "port", *changed.Port, int32(8080))
	equal(t, "actions after a change", changed.DefaultActions, plain)
	if changed.SslPolicy != nil || changed.Certificates != nil || changed.MutualAuthentication != nil {
		t.Errorf("a plain listener has %+v", changed)
	}
	tags := done[*elb.DescribeTagsOutput](t)(h.DescribeTags(background, &elb.DescribeTagsInput{ResourceArns: []string{*name}})).TagDescriptions[0].Tags
	equal(t, "tags", tags, []types.Tag{{Key: new("team"), Value: new("a")}})

	done[*elb.DeleteListenerOutput](t)(h.DeleteListener(background, &elb.DeleteListenerInput{ListenerArn: name}))
	_, err := h.DescribeListeners(background, &elb.DescribeListenersInput{ListenerArns: []string{*name}})
	refused(t, err, "ListenerNotFound", "One or more listeners not found")
}

// secondCertificate adds a certificate to a listener and takes it away.
func (h *house) secondCertificate(listener *string, first, second string) {
	h.t.Helper()
	added := done[*elb.AddListenerCertificatesOutput](h.t)(h.AddListenerCertificates(background, &elb.AddListenerCertificatesInput{
		ListenerArn: listener, Certificates: []types.Certificate{{CertificateArn: &second}},
	}))
	equal(h.t, "added", added.Certificates, []types.Certificate{{CertificateArn: &second, IsDefault: new(false)}})
	list := func() []types.Certificate {
		return done[*elb.DescribeListenerCertificatesOutput](h.t)(h.DescribeListenerCertificates(background, &elb.DescribeListenerCertificatesInput{ListenerArn: listener})).Certificates
	}
	equal(h.t, "all", list(), []types.Certificate{{CertificateArn: &first, IsDefault: new(true)}, {CertificateArn: &second, IsDefault: new(false)}})
	_, err := h.RemoveListenerCertificates(background, &elb.RemoveListenerCertificatesInput{ListenerArn: listener, Certificates: []types.Certificate{{CertificateArn: &first}}})
	refused(h.t, err, "OperationNotPermitted", "The default certificate")
	done[*elb.RemoveListenerCertificatesOutput](h.t)(h.RemoveListenerCertificates(background, &elb.RemoveListenerCertificatesInput{
		ListenerArn: listener, Certificates: []types.Certificate{{CertificateArn: &second}},
	}))
	equal(h.t, "left", len(list()), 1)
}

func TestListenersThatCannotBe(t *testing.T) {
	h := open(t)
	alb, nlb, other := h.alb("web"), h.nlb("net"), h.alb("other")
	web, tcp, cert := h.targets("web", types.ProtocolEnumHttp), h.targets("tcp", types.ProtocolEnumTcp), h.certificate("one")
	taken := h.targets("taken", types.ProtocolEnumHttp)
	h.listener(other, types.ProtocolEnumHttp, 80, taken)
	h.listener(alb, types.ProtocolEnumHttp, 9999, web)
	certs := []types.Certificate{{CertificateArn: &cert}}
	for _, c := range []struct {
		balancer    *types.LoadBalancer
		in          elb.CreateListenerInput
		group       string
		kind, words string
	}{
		{alb, elb.CreateListenerInput{Protocol: "TCP"}, web, "ValidationError", "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'"},
		{nlb, elb.CreateListenerInput{Protocol: "HTTP"}, tcp, "ValidationError", "must be one of 'TCP, TLS, UDP, TCP_UDP'"},
		{nlb, elb.CreateListenerInput{Protocol: "QUIC"}, tcp, "UnsupportedProtocol", "not supported"},
		{alb, elb.CreateListenerInput{Protocol: "HTTPS"}, web, "ValidationError", "A certificate must be specified for HTTPS listeners"},
		{alb, elb.CreateListenerInput{Protocol: "HTTPS", Certificates: []types.Certificate{{CertificateArn: new("arn:aws:acm:eu-central-1:123456789012:certificate/x")}}}, web, "CertificateNotFound", ""},
		{alb, elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs, SslPolicy: new("What")}, web, "SSLPolicyNotFound", "SSL policy 'What' not found"},
		{alb, elb.CreateListenerInput{Protocol: "HTTP", Certificates: certs}, web, "InvalidConfigurationRequest", "Certificates cannot be specified for HTTP listeners"},
		{nlb, elb.CreateListenerInput{Protocol: "TLS", Certificates: certs, AlpnPolicy: []string{"What"}}, tcp, "ALPNPolicyNotFound", ""},
		{alb, elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs, MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: new("verify")}}, web, "TrustStoreNotFound", ""},
		{alb, elb.CreateListenerInput{Protocol: "HTTP"}, tcp, "IncompatibleProtocols", "Listener protocol 'HTTP' is not supported with a target group with the protocol 'TCP'"},
		{alb, elb.CreateListenerInput{Protocol: "HTTP"}, web + "0", "TargetGroupNotFound", "not found"},
		{alb, elb.CreateListenerInput{Protocol: "HTTP"}, taken, "TargetGroupAssociationLimit", "cannot be associated with more than one load balancer"},
		{alb, elb.CreateListenerInput{Protocol: "HTTP", Port: new(int32(9999))}, web, "DuplicateListener", "A listener already exists on this port for this load balancer"},
	} {
		c.in.LoadBalancerArn, c.in.DefaultActions = c.balancer.LoadBalancerArn, []types.Action{forward(c.group)}
		if c.in.Port == nil {
			c.in.Port = new(int32(81))
		}
		_, err := h.CreateListener(background, &c.in)
		refused(t, err, c.kind, c.words)
	}
}

func TestActionsAreReadAsTheyWereSent(t *testing.T) {
	h := open(t)
	b, cert, blue := h.alb("web"), h.certificate("one"), h.targets("blue", types.ProtocolEnumHttp)
	oidc := types.Action{Type: types.ActionTypeEnumAuthenticateOidc, Order: new(int32(1)), AuthenticateOidcConfig: &types.AuthenticateOidcActionConfig{
		Issuer: new("https://id.example.com"), AuthorizationEndpoint: new("https://id.example.com/a"), TokenEndpoint: new("https://id.example.com/t"),
		UserInfoEndpoint: new("https://id.example.com/u"), ClientId: new("me"), ClientSecret: new("hush"),
		AuthenticationRequestExtraParams: map[string]string{"display": "page"},
	}}
	last := types.Action{Type: types.ActionTypeEnumForward, Order: new(int32(2)), TargetGroupArn: &blue}
	l := done[*elb.CreateListenerOutput](t)(h.CreateListener(background, &elb.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: new(int32(443)), Certificates: []types.Certificate{{CertificateArn: &cert}},
		DefaultActions: []types.Action{oidc, last},
	})).Listeners[0]
	shown := *oidc.AuthenticateOidcConfig
	shown.ClientSecret, shown.SessionCookieName, shown.Scope, shown.SessionTimeout = nil, new("AWSELBAuthSessionCookie"), new("openid"), new(int64(604800))
	shown.OnUnauthenticatedRequest = types.AuthenticateOidcActionConditionalBehaviorEnumAuthenticate
	equal(t, "sign-in", l.DefaultActions[0].AuthenticateOidcConfig, &shown)
	equal(t, "forward", l.DefaultActions[1], last)
	equal(t, "secret", h.secret(*l.ListenerArn), "hush")

	kept := *oidc.AuthenticateOidcConfig
	kept.ClientSecret, kept.UseExistingClientSecret, kept.ClientId = nil, new(true), new("you")
	oidc.AuthenticateOidcConfig = &kept
	done[*elb.ModifyListenerOutput](t)(h.ModifyListener(background, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, DefaultActions: []types.Action{oidc, last}}))
	equal(t, "secret after a change", h.secret(*l.ListenerArn), "hush")

	for n, sent := range [][]types.Action{
		{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("404"), ContentType: new("text/plain"), MessageBody: new("no")}}},
		{{Type: types.ActionTypeEnumRedirect, Order: new(int32(1)), RedirectConfig: &types.RedirectActionConfig{
			Protocol: new("HTTPS"), Port: new("443"), Host: new("#{host}"), Path: new("/#{path}"), Query: new(""), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
		}}},
		{{Type: types.ActionTypeEnumJwtValidation, Order: new(int32(1)), JwtValidationConfig: &types.JwtValidationActionConfig{
			JwksEndpoint: new("https://id.example.com/keys"), Issuer: new("https://id.example.com"),
			AdditionalClaims: []types.JwtValidationActionAdditionalClaim{{Name: new("scope"), Format: types.JwtValidationActionAdditionalClaimFormatEnumSpaceSeparatedValues, Values: []string{"read"}}},
		}}, last},
		{{Type: types.ActionTypeEnumAuthenticateCognito, Order: new(int32(1)), AuthenticateCognitoConfig: &types.AuthenticateCognitoActionConfig{
			UserPoolArn: new("arn:aws:cognito-idp:eu-central-1:123456789012:userpool/p"), UserPoolClientId: new("me"), UserPoolDomain: new("d"), Scope: new("email"),
			SessionCookieName: new("c"), SessionTimeout: new(int64(60)), OnUnauthenticatedRequest: types.AuthenticateCognitoActionConditionalBehaviorEnumDeny,
		}}, last},
	} {
		out := done[*elb.ModifyListenerOutput](t)(h.ModifyListener(background, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, DefaultActions: sent}))
		equal(t, "actions "+string(rune('0'+n)), out.Listeners[0].DefaultActions, sent)
	}
}

// secret is the client secret of a listener's first action, opened.
func (h *house) secret(listener string) string {
	h.t.Helper()
	v := h.Store.View()
	l, _ := store.Listeners.Get(v, listener)
	sealed := l.Default[0].OIDC.ClientSecret
	if string(sealed) == "hush" {
		h.t.Error("the store has the secret in the clear")
	}
	return string(done[[]byte](h.t)(h.keyring.Open(v, l.Scope, l.ARN, sealed)))
}

func TestSSLPoliciesHaveAWSsNames(t *testing.T) {
	h := open(t)
	out := done[*elb.DescribeSSLPoliciesOutput](t)(h.DescribeSSLPolicies(background, &elb.DescribeSSLPoliciesInput{Names: []string{balancer.DefaultSSLPolicy}}))
	p := out.SslPolicies[0]
	if *p.Name != "ELBSecurityPolicy-2016-08" || len(p.SslProtocols) != 3 || *p.Ciphers[0].Name != "ECDHE-ECDSA-AES128-GCM-SHA256" || *p.Ciphers[0].Priority != 1 {
		t.Errorf("got %+v", p)
	}
	_, err := h.DescribeSSLPolicies(background, &elb.DescribeSSLPoliciesInput{Names: []string{"What"}})
	refused(t, err, "SSLPolicyNotFound", "")
}
