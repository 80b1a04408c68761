package signin

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// nonceCookie binds a sign-in to the browser that began it.
const nonceCookie = "AWSALBAuthNonce"

// signInTime is how long a client may take to sign in, as on AWS.
const signInTime = 15 * time.Minute

// errand is what a client brings back from the provider, as the parameter "state".
type errand struct {
	Mark  string    `json:"m"` // of the action
	Nonce string    `json:"n"`
	To    string    `json:"t"` // the URL that it asked for first
	Until time.Time `json:"u"`
}

// send leads the client to its identity provider.
func (d *Desk) send(r *http.Request, a *balancer.OIDCAction) Outcome {
	nonce, cookie := d.nonce(r)
	if cookie == "" {
		nonce = random()
		cookie = d.seal.close(nonceCookie, nonce)
	}
	until := d.now().Add(signInTime)
	at, err := url.Parse(providerOf(a).authorize)
	if err != nil {
		return refused(http.StatusInternalServerError, "AuthUnhandledException")
	}
	q := at.Query()
	for _, name := range slices.Sorted(maps.Keys(a.Extra)) {
		q.Set(name, a.Extra[name])
	}
	q.Set("client_id", a.ClientID)
	q.Set("redirect_uri", back(r))
	q.Set("response_type", "code")
	q.Set("scope", scope(a))
	q.Set("state", d.seal.close("state", errand{Mark: mark(a), Nonce: nonce, To: asked(r), Until: until}))
	at.RawQuery = q.Encode()
	return Outcome{Status: http.StatusFound, Location: at.String(), Cookies: []*http.Cookie{secure(nonceCookie, cookie, until)}}
}

func scope(a *balancer.OIDCAction) string {
	if a.Scope != "" {
		return a.Scope
	}
	return "openid"
}

// nonce is the one that the browser has already, so that the requests of one page do not
// take each other's away.
func (d *Desk) nonce(r *http.Request) (nonce, cookie string) {
	if c, err := r.Cookie(nonceCookie); err == nil && d.seal.open(nonceCookie, c.Value, &nonce) {
		return nonce, c.Value
	}
	return "", ""
}

// back is where the provider shall send the client back to.
func back(r *http.Request) string { return "https://" + strings.ToLower(r.Host) + BackPath }

// asked is the URL that the client asked for. A path that begins with two slashes stays
// a path.
func asked(r *http.Request) string {
	return "https://" + strings.ToLower(r.Host) + r.URL.RequestURI()
}

// Back answers a client that comes back from its identity provider, to BackPath of a
// host; all are the actions of the listener. It is called before rules are looked at.
func (d *Desk) Back(r *http.Request, all []*balancer.OIDCAction) Outcome {
	q := r.URL.Query()
	var e errand
	switch {
	case q.Get("state") == "":
		return refused(http.StatusUnauthorized, "AuthMissingStateParam")
	case !d.seal.open("state", q.Get("state"), &e):
		return refused(http.StatusUnauthorized, "AuthInvalidStateParam")
	case d.now().After(e.Until):
		return refused(http.StatusUnauthorized, "AuthInvalidStateParam")
	}
	nonce, cookie := d.nonce(r)
	if cookie == "" {
		return refused(http.StatusUnauthorized, "AuthMissingAWSALBAuthNonce")
	}
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(e.Nonce)) != 1 {
		return refused(http.StatusUnauthorized, "AuthInvalidAWSALBAuthNonce")
	}
	at := slices.IndexFunc(all, func(a *balancer.OIDCAction) bool { return mark(a) == e.Mark })
	if at < 0 {
		return refused(http.StatusUnauthorized, "AuthInvalidStateParam")
	}
	if q.Get("error") != "" {
		return refused(StatusProvider, "AuthInvalidGrantError")
	}
	if q.Get("code") == "" {
		return refused(http.StatusUnauthorized, "AuthMissingCodeParam")
	}
	return d.welcome(r, all[at], e, q.Get("code"))
}

// StatusProvider is the status when the identity provider says that there is an error.
const StatusProvider = 561

// welcome makes the session and leads the client to where it wanted to go.
func (d *Desk) welcome(r *http.Request, a *balancer.OIDCAction, e errand, code string) Outcome {
	began := d.now()
	s, err := d.redeem(r.Context(), a, code, back(r))
	if err != nil {
		return blame(err)
	}
	cookies, fits := d.cookies(r, a, s)
	if !fits {
		return refused(http.StatusUnauthorized, sizeExceeded)
	}
	return Outcome{Status: http.StatusFound, Location: e.To, Cookies: append(cookies, gone(nonceCookie)), Latency: d.now().Sub(began)}
}
