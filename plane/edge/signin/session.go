package signin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// session is a client that has signed in, as its cookies hold it.
type session struct {
	Mark    string          `json:"m"` // of the action
	Subject string          `json:"s"`
	Claims  json.RawMessage `json:"c"`
	Access  string          `json:"a"`
	Refresh string          `json:"r,omitempty"`
	Expires time.Time       `json:"e"` // of the access token
	Until   time.Time       `json:"u"` // then the client signs in again
}

// Limits of cookies: browsers keep 4096 bytes of one, AWS's balancers make four at most.
const (
	cookieBytes = 3900
	maxCookies  = 4
)

// sizeExceeded is the reason where there is more to know of a client than fits.
const sizeExceeded = "AuthUserinfoResponseSizeExceeded"

func cookieName(a *balancer.OIDCAction) string {
	if a.SessionCookie != "" {
		return a.SessionCookie
	}
	return "AWSELBAuthSessionCookie"
}

// lifetime is how long a session lasts: a week unless the action says otherwise.
func lifetime(a *balancer.OIDCAction) time.Duration {
	if a.SessionSeconds > 0 {
		return time.Duration(a.SessionSeconds) * time.Second
	}
	return 7 * 24 * time.Hour
}

// session reads the client's session with the action's provider, if it has one that
// holds.
func (d *Desk) session(r *http.Request, a *balancer.OIDCAction) (s session, held bool) {
	var text strings.Builder
	for n := range maxCookies {
		c, err := r.Cookie(shard(a, n))
		if err != nil {
			break
		}
		text.WriteString(c.Value)
	}
	held = d.seal.open(cookieName(a), text.String(), &s) && s.Mark == mark(a) && d.now().Before(s.Until)
	return s, held
}

func shard(a *balancer.OIDCAction, n int) string { return cookieName(a) + "-" + strconv.Itoa(n) }

// cookies are the session, in as many parts as it needs; those that an earlier one
// needed beyond are taken back. It does not fit when there is too much to say.
func (d *Desk) cookies(r *http.Request, a *balancer.OIDCAction, s session) (all []*http.Cookie, fits bool) {
	text := d.seal.close(cookieName(a), s)
	if len(text) > cookieBytes*maxCookies {
		return nil, false
	}
	for n := range maxCookies {
		part := text[min(len(text), n*cookieBytes):min(len(text), (n+1)*cookieBytes)]
		if part != "" {
			all = append(all, secure(shard(a, n), part, s.Until))
		} else if _, err := r.Cookie(shard(a, n)); err == nil {
			all = append(all, gone(shard(a, n)))
		}
	}
	return all, true
}

func secure(name, value string, until time.Time) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Expires: until, Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode}
}

func gone(name string) *http.Cookie {
	c := secure(name, "", time.Time{})
	c.MaxAge = -1
	return c
}
