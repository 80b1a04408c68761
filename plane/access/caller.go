package access

import (
	"net/netip"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity"
)

// Caller is who asks, and what is known of how.
type Caller struct {
	Principal identity.Principal
	// Session is what was laid down for a temporary key; nil for nothing.
	Session   *identity.Session
	KeyID     string    // of the key that signed; empty where none did
	Temporary bool      // the key has a session token
	IssuedAt  time.Time // of the key
	Region    string    // that the request is for; empty when it is for none
	Source    netip.Addr
	Secure    bool // it came over TLS
	UserAgent string
	Service   string // whose API was called, "ec2"; empty for none
	Now       time.Time
}

// CallerOf is who sent a call.
func CallerOf(call *gateway.Call) Caller {
	return Caller{
		Principal: call.Principal, KeyID: call.KeyID, Session: call.Granted, Temporary: call.Session, IssuedAt: call.IssuedAt, Region: call.Scope.Region,
		Source: call.Source, Secure: call.Secure, UserAgent: call.UserAgent, Service: call.Service, Now: call.Now,
	}
}

// CallerWith is who holds a key.
func CallerWith(key *identity.AccessKey, now time.Time) Caller {
	return Caller{
		Principal: key.Principal, KeyID: key.ID, Session: key.Session, Temporary: key.SessionToken != "", IssuedAt: key.CreatedAt, Now: now,
	}
}

// ofService tells whether an action belongs to the service that a call is of.
func ofService(action string, call *gateway.Call) bool {
	prefix, _, _ := strings.Cut(action, ":")
	return prefix != "iam" || call.Service == "iam"
}

// federated tells whether somebody was let in by a user, as GetFederationToken does.
func federated(who *Caller) bool { return who.Session != nil && who.Session.Federated }
