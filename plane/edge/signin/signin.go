// Package signin has the clients of Application balancers sign in with an identity
// provider (OpenID Connect, Cognito's user pools among them) before a request goes on.
// What is known of a client is in cookies that only edges can read; nothing is kept here.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/berthhq/berth/domain/balancer"
)

// BackPath is where identity providers send clients back to, on every host.
const BackPath = "/oauth2/idpresponse"

// Options of a Desk.
type Options struct {
	// Secret seals cookies and makes the key that signs what targets are told. Edges
	// of one balancer have the same.
	Secret []byte
	// Client reaches identity providers; nil for one that refuses this machine's own
	// addresses.
	Client *http.Client
	Now    func() time.Time // nil for the clock's
}

// Desk is where clients sign in.
type Desk struct {
	seal      *seal
	signer    *signer
	client    *http.Client
	now       func() time.Time
	refreshes singleflight.Group
}

// New makes a Desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = Outside(nil)
	}
	return &Desk{seal: newSeal(o.Secret), signer: newSigner(o.Secret), client: o.Client, now: o.Now}
}

// Outcome is what becomes of a request.
type Outcome struct {
	// Status is of the answer: 302, 401, 500 or 561. 0 means that the request goes on.
	Status   int
	Location string // of a 302
	Reason   string // error_reason of the access log; empty for none
	// Cookies are set in the answer, the target's as well.
	Cookies []*http.Cookie
	// Headers tell targets who the client is; nil when nobody knows.
	Headers http.Header
	// Latency is how long the identity provider took; 0 when it was not asked.
	Latency time.Duration
	// Refreshed is true when the session was prolonged on this way.
	Refreshed bool
}

func refused(status int, reason string) Outcome { return Outcome{Status: status, Reason: reason} }

// Ask decides what an authenticate action does with a request. It lets clients with a
// session go on; the others as the action says.
func (d *Desk) Ask(r *http.Request, balancerARN string, a *balancer.OIDCAction) Outcome {
	s, held := d.session(r, a)
	if held && d.now().After(s.Expires) && s.Refresh != "" {
		return d.prolong(r, balancerARN, a, s)
	}
	if held {
		return Outcome{Headers: d.headers(balancerARN, a, s)}
	}
	return d.stranger(r, a)
}

// stranger has no session.
func (d *Desk) stranger(r *http.Request, a *balancer.OIDCAction) Outcome {
	switch a.OnUnauthenticated {
	case "allow":
		return Outcome{}
	case "deny":
		return refused(http.StatusUnauthorized, "")
	}
	if r.Host == "" {
		return refused(http.StatusUnauthorized, "AuthMissingHostHeader")
	}
	return d.send(r, a)
}

// prolong asks for the claims anew, because the access token has expired. Clients whom
// the provider does not know any more are strangers.
func (d *Desk) prolong(r *http.Request, balancerARN string, a *balancer.OIDCAction, old session) Outcome {
	began := d.now()
	got, err, _ := d.refreshes.Do(hash(old.Refresh), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
		defer cancel()
		return d.refresh(ctx, a, old)
	})
	if err != nil {
		return d.stranger(r, a)
	}
	s := got.(session)
	cookies, fits := d.cookies(r, a, s)
	if !fits {
		return refused(http.StatusUnauthorized, sizeExceeded)
	}
	return Outcome{Headers: d.headers(balancerARN, a, s), Cookies: cookies, Latency: d.now().Sub(began), Refreshed: true}
}

// patience is how long an identity provider may take to answer.
const patience = 5 * time.Second

// mark tells actions apart whose sessions are not each other's.
func mark(a *balancer.OIDCAction) string {
	return hash(strings.Join([]string{providerOf(a).issuer, a.ClientID, a.UserPoolARN}, " "))[:16]
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
