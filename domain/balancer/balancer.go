// Package balancer holds load balancers: Application, Network and Classic ones,
// their listeners and rules, target groups, the targets registered with them and how
// healthy those were seen to be.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/
//
// Each record has one writer: the APIs write what is asked (a target's registration
// also plan/attach, for the tasks of services), health is what edges reported.
package balancer

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Kind is the type of a load balancer.
type Kind string

// Kinds of load balancers.
const (
	Application Kind = "application"
	Network     Kind = "network"
	Classic     Kind = "classic"
)

// Schemes.
const (
	InternetFacing = "internet-facing"
	Internal       = "internal"
)

// Engines that carry a balancer's traffic.
const (
	EngineBerth   = "" // our own
	EngineHAProxy = "haproxy"
)

// Balancer is a load balancer.
type Balancer struct {
	Scope          arn.Scope
	ARN            string // primary key
	Name           string
	Kind           Kind
	Scheme         string // InternetFacing or Internal
	VPCID          string
	Zones          []Zone
	SecurityGroups []string
	AddressType    string // ipv4, dualstack
	DNSName        string
	HostedZoneID   string
	Engine         string
	Attributes     map[string]string // those set; the others have their defaults
	Tags           []workload.Tag
	CreatedAt      time.Time
	// PrivateLinkUnchecked is true when packets of endpoints do not meet the security
	// groups; of Network ones.
	PrivateLinkUnchecked bool
	// Secret seals the cookies of an Application or Classic balancer, so that its nodes read each
	// other's; sealed by plane/keyring in the store, plain in a Snapshot. Empty for none:
	// then what seals them does not outlive an edge.
	Secret  []byte
	Classic *ClassicSpec // of a Classic one only
	Version int64        // rises with each change
}

// Zone is a node of a balancer: its place in one Availability Zone.
type Zone struct {
	Name         string // us-east-1a
	SubnetID     string
	InterfaceID  string // of the network.Interface that is the node's
	AllocationID string // of an Elastic IP address; empty for none
	Pinned       bool   // its private address was asked for
}

// ClassicSpec is what only Classic balancers have.
type ClassicSpec struct {
	HealthCheck HealthCheck
	Policies    []Policy
	// ServerPolicies are the names of policies by instance port.
	ServerPolicies map[int][]string
}

// Policy is a policy of a Classic balancer.
type Policy struct {
	Name, Type string
	Attributes []PolicyAttribute
}

// PolicyAttribute is a setting of a Policy.
type PolicyAttribute struct{ Name, Value string }

// Listener is a port of a balancer.
type Listener struct {
	Scope        arn.Scope
	ARN          string // primary key
	BalancerARN  string
	Port         int
	Protocol     string   // HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP; of Classic ones also SSL
	Certificates []string // ARNs; the first is the default one
	SSLPolicy    string
	ALPN         []string
	MutualAuth   *MutualAuth
	Default      []Action
	Attributes   map[string]string
	Tags         []workload.Tag
	CreatedAt    time.Time
	Policies     []string // names; of Classic ones only
	Version      int64
}

// MutualAuth asks clients for certificates.
type MutualAuth struct {
	Mode             string // off, verify, passthrough
	TrustStoreARN    string
	IgnoreExpiry     bool
	AdvertiseCANames string // on, off or empty
}

// Rule is a rule of an Application balancer's listener, the default one aside: that
// is the listener's own.
type Rule struct {
	Scope       arn.Scope
	ARN         string // primary key
	ListenerARN string
	Priority    int // 1..50000
	Conditions  []Condition
	Actions     []Action
	Transforms  []Transform
	Tags        []workload.Tag
	CreatedAt   time.Time
	Version     int64
}

// Condition fields, as the API names them.
const (
	HostHeader    = "host-header"
	PathPattern   = "path-pattern"
	HTTPHeader    = "http-header"
	RequestMethod = "http-request-method"
	QueryString   = "query-string"
	SourceIP      = "source-ip"
)

// Condition is met when any of its values matches.
type Condition struct {
	Field  string
	Header string   // name, of HTTPHeader
	Values []string // wildcard patterns, methods, or ranges; none of QueryString
	Regex  []string // of HostHeader, PathPattern and HTTPHeader, in place of Values
	Query  []Query  // of QueryString
	// Plain is true when Values came by the condition's Values and not by its
	// config: reads give it back the way it came.
	Plain bool
}

// Query is a key and value pattern of a query string.
type Query struct{ Key, Value string } // Key may be empty

// Action types, as the API names them.
const (
	Forward             = "forward"
	Redirect            = "redirect"
	FixedResponse       = "fixed-response"
	AuthenticateOIDC    = "authenticate-oidc"
	AuthenticateCognito = "authenticate-cognito"
	ValidateJWT         = "jwt-validation"
)

// Action is what happens with a request; one of the pointers is set, as Type says.
type Action struct {
	Type     string
	Order    int
	Forward  *ForwardAction
	Redirect *RedirectAction
	Fixed    *FixedAction
	OIDC     *OIDCAction // of AuthenticateCognito as well
	JWT      *JWTAction
}

// ForwardAction spreads requests over target groups by weight.
type ForwardAction struct {
	Groups            []Weighted
	Stickiness        bool
	StickinessSeconds int
	// Plain is true when the one group came by the action's TargetGroupArn.
	Plain bool
}

// Weighted is a target group's share.
type Weighted struct {
	GroupARN string
	Weight   int // 0..999
}

// RedirectAction sends the client elsewhere.
type RedirectAction struct {
	Protocol, Port, Host, Path, Query string // with #{...} in them
	Status                            int    // 301 or 302
}

// FixedAction answers by itself.
type FixedAction struct {
	Status            int
	ContentType, Body string
}

// OIDCAction asks the client to sign in with an identity provider.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
type OIDCAction struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, UserInfoEndpoint string
	ClientID                                                       string
	ClientSecret                                                   []byte // sealed by plane/vault in the store, plain in a Snapshot
	SessionCookie, Scope                                           string
	SessionSeconds                                                 int64
	Extra                                                          map[string]string
	OnUnauthenticated                                              string // deny, allow, authenticate
	// UserPoolARN and UserPoolDomain are of AuthenticateCognito.
	UserPoolARN, UserPoolDomain string
}

// JWTAction refuses requests without a valid token.
type JWTAction struct {
	JWKSEndpoint, Issuer string
	Claims               []Claim
}

// Claim is what a token must say beyond its issuer and times.
type Claim struct {
	Name, Format string
	Values       []string
}

// Transform rewrites a request on its way to the targets.
type Transform struct {
	Type           string // host-header-rewrite, url-rewrite
	Regex, Replace string
}

// TrustStore is the authorities whose clients a listener trusts.
type TrustStore struct {
	Scope       arn.Scope
	ARN         string // primary key
	Name        string
	Bundle      []byte // PEM
	Revocations []Revocation
	Tags        []workload.Tag
	CreatedAt   time.Time
	Next        int64 // the id of the last revocation
}

// Revocation is a list of revoked certificates.
type Revocation struct {
	ID      int64
	Entries int64
	List    []byte // DER or PEM, as it was uploaded
}

// Certificate is one of the Certificate Manager slice.
type Certificate struct {
	Scope                                      arn.Scope
	ARN                                        string // primary key
	Domain                                     string
	Names                                      []string // subject alternative names
	Type                                       string   // IMPORTED or AMAZON_ISSUED
	Chain                                      []byte   // PEM: the certificate, then its chain
	Key                                        []byte   // PEM, sealed by plane/vault in the store, plain in a Snapshot
	Serial                                     string
	Algorithm                                  string // RSA_2048, EC_prime256v1, ...
	Tags                                       []workload.Tag
	NotBefore, NotAfter, CreatedAt, ImportedAt time.Time
	Validation                                 string              // DNS or EMAIL; of requested ones
	Token                                      string              // idempotency token of the request
	Request                                    *CertificateRequest // nil of imported ones
}

// GroupsOf are the ARNs of the target groups that actions lead to.
func GroupsOf(actions []Action) []string {
	var all []string
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			all = append(all, g.GroupARN)
		}
	}
	return all
}
