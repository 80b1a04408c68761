package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
)

// provider is an identity provider's endpoints.
type provider struct{ issuer, authorize, token, userInfo string }

// providerOf are the action's endpoints; those of a user pool follow from its domain.
func providerOf(a *balancer.OIDCAction) provider {
	if a.UserPoolARN == "" {
		return provider{a.Issuer, a.AuthorizationEndpoint, a.TokenEndpoint, a.UserInfoEndpoint}
	}
	region, pool := poolOf(a.UserPoolARN)
	host := a.UserPoolDomain
	if !strings.Contains(host, ".") { // a domain of one's own has dots
		host += ".auth." + region + ".amazoncognito.com"
	}
	return provider{
		"https://cognito-idp." + region + ".amazonaws.com/" + pool,
		"https://" + host + "/oauth2/authorize", "https://" + host + "/oauth2/token", "https://" + host + "/oauth2/userInfo",
	}
}

func poolOf(s string) (region, pool string) {
	parsed, err := arn.Parse(s)
	if err != nil {
		return "", ""
	}
	return parsed.Region, strings.TrimPrefix(parsed.Resource, "userpool/")
}

// blamed is an error of signing in, with the status and the reason of the log.
type blamed struct {
	status int
	reason string
}

func (b *blamed) Error() string { return b.reason }

func blame(err error) Outcome {
	var b *blamed
	if errors.As(err, &b) {
		return refused(b.status, b.reason)
	}
	return refused(http.StatusInternalServerError, "AuthUnhandledException")
}

// tokens are a token endpoint's answer (RFC 6749, 5.1).
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Seconds int64  `json:"expires_in"`
}

// redeem makes a session of the code that the client brought.
func (d *Desk) redeem(ctx context.Context, a *balancer.OIDCAction, code, redirect string) (session, error) {
	t, err := d.tokens(ctx, a, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	if err != nil {
		return session{}, err
	}
	subject, err := d.checkID(t.ID, a)
	if err != nil {
		return session{}, err
	}
	s, err := d.known(ctx, a, t)
	if err == nil && s.Subject != subject { // OpenID Connect Core, 5.3.2
		err = &blamed{http.StatusInternalServerError, "AuthInvalidUserinfoResponse"}
	}
	s.Until = d.now().Add(lifetime(a))
	return s, err
}

// refresh makes a new session of one whose access token has expired.
func (d *Desk) refresh(ctx context.Context, a *balancer.OIDCAction, old session) (session, error) {
	t, err := d.tokens(ctx, a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	if err != nil {
		return session{}, err
	}
	if t.Refresh == "" {
		t.Refresh = old.Refresh
	}
	s, err := d.known(ctx, a, t)
	if err == nil && s.Subject != old.Subject {
		err = &blamed{http.StatusInternalServerError, "AuthInvalidUserinfoResponse"}
	}
	s.Until = old.Until
	return s, err
}

// known asks who the client is.
func (d *Desk) known(ctx context.Context, a *balancer.OIDCAction, t tokens) (session, error) {
	claims, err := d.claims(ctx, a, t.Access)
	if err != nil {
		return session{}, err
	}
	var who struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal(claims, &who) != nil || who.Subject == "" {
		return session{}, &blamed{http.StatusInternalServerError, "AuthInvalidUserinfoResponse"}
	}
	s := session{Mark: mark(a), Subject: who.Subject, Claims: claims, Access: t.Access, Refresh: t.Refresh}
	s.Expires = d.now().Add(time.Duration(t.Seconds) * time.Second)
	return s, nil
}

func (d *Desk) tokens(ctx context.Context, a *balancer.OIDCAction, form url.Values) (t tokens, err error) {
	form.Set("client_id", a.ClientID)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, providerOf(a).token, strings.NewReader(form.Encode()))
	if err != nil {
		return t, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if len(a.ClientSecret) > 0 {
		r.SetBasicAuth(url.QueryEscape(a.ClientID), url.QueryEscape(string(a.ClientSecret))) // RFC 6749, 2.3.1
	}
	status, body, err := d.call(r, "AuthTokenEp")
	if err != nil {
		return t, err
	}
	if status != http.StatusOK {
		var refusal struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &refusal) == nil && refusal.Error == "invalid_grant" {
			return t, &blamed{StatusProvider, "AuthInvalidGrantError"}
		}
		return t, &blamed{StatusProvider, "AuthTokenEpRequestFailed"}
	}
	if json.Unmarshal(body, &t) != nil || t.Access == "" || t.Type != "" && !strings.EqualFold(t.Type, "Bearer") {
		return t, &blamed{http.StatusInternalServerError, "AuthInvalidTokenResponse"}
	}
	return t, nil
}

// maxClaims is how much a provider may tell of a client.
const maxClaims = 11 << 10

func (d *Desk) claims(ctx context.Context, a *balancer.OIDCAction, access string) (json.RawMessage, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, providerOf(a).userInfo, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+access)
	status, body, err := d.call(r, "AuthUserinfoEp")
	switch {
	case err != nil:
		return nil, err
	case status != http.StatusOK:
		return nil, &blamed{StatusProvider, "AuthUserinfoEpRequestFailed"}
	case len(body) > maxClaims:
		return nil, &blamed{http.StatusUnauthorized, sizeExceeded}
	}
	return body, nil
}

// call asks a provider; the endpoint begins the reason of what goes wrong.
func (d *Desk) call(r *http.Request, endpoint string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	r.Header.Set("Accept", "application/json")
	answer, err := d.client.Do(r.WithContext(ctx))
	if err == nil {
		defer answer.Body.Close()
		body, err = io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	}
	switch {
	case err == nil:
		return answer.StatusCode, body, nil
	case ctx.Err() != nil:
		return 0, nil, &blamed{http.StatusInternalServerError, endpoint + "RequestTimeout"}
	}
	return 0, nil, &blamed{http.StatusInternalServerError, endpoint + "RequestFailed"}
}

// checkID tells whom the provider signed in. The token came from its own endpoint over
// TLS, which stands for its signature (OpenID Connect Core, 3.1.3.7, 6).
func (d *Desk) checkID(token string, a *balancer.OIDCAction) (subject string, err error) {
	invalid := &blamed{http.StatusUnauthorized, "AuthInvalidIdToken"}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", invalid
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", invalid
	}
	var claims struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
		Expires  float64  `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Issuer != providerOf(a).issuer || !claims.Audience.has(a.ClientID) ||
		float64(d.now().Unix()) >= claims.Expires || claims.Subject == "" {
		return "", invalid
	}
	return claims.Subject, nil
}

// audience is one name or a list of them.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func (a audience) has(name string) bool {
	for _, one := range a {
		if one == name {
			return true
		}
	}
	return false
}
