// Package access decides who may do what. It gathers the policies that bear on a
// caller and a resource from the store, as they are at that moment, and lets
// domain/identity/policy judge them. The gateway asks it for every call; agent
// sessions, the registry and the storage engines ask it by Check.
//
// Nothing about a decision is kept: what somebody changes in a policy holds from the
// next request on. Only documents that were read are remembered, by their text.
package access

import (
	"context"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Resources knows what belongs to resources: their own policies and their tags.
type Resources interface {
	// Policy is the policy of a resource, empty for none, and the account that owns
	// it; ok is false for a resource that is not known.
	Policy(arn string) (document, owner string, ok bool)
	// Tags are those of a resource; ok is false for a resource that is not known.
	Tags(arn string) (tags []workload.Tag, ok bool)
}

// Config is what an Access is made of.
type Config struct {
	Store store.Store
	// Resources may be nil: then resources have neither policies nor tags.
	Resources Resources
	// Seal makes the encoded message of a refusal, which DecodeAuthorizationMessage
	// opens. nil leaves it out.
	Seal func([]byte) string
	// Observe sees each decision. It must not block; nil for nobody.
	Observe func(Observation)
}

// Observation is a decision that was taken.
type Observation struct {
	Principal string // ARN
	RoleARN   string // of the role behind a session; empty otherwise
	KeyID     string // access key that signed; empty where none did
	// Trial is the policy on trial that alone would have come to the effect, as
	// ARN@VERSION; empty for what was decided.
	Trial    string
	Action   string
	Resource string
	Region   string
	Effect   policy.Effect
	At       time.Time
}

func observationOf(q *question, e policy.Effect) Observation {
	who := q.who
	return Observation{
		Principal: who.Principal.ARN, RoleARN: who.Principal.RoleARN, KeyID: who.KeyID,
		Action: q.action, Resource: q.resource, Region: who.Region, Effect: e, At: who.Now,
	}
}

// Access decides. It is safe for concurrent use.
type Access struct {
	Config
	documents documents
}

// New makes an Access.
func New(c Config) *Access { return &Access{Config: c, documents: newDocuments()} }

// Authorise implements gateway.Authoriser.
func (a *Access) Authorise(_ context.Context, call *gateway.Call, need gateway.Need) error {
	in := call.In
	if !ofService(need.Action, call) {
		in = nil // the request's tags are not for what another service does
	}
	return a.check(CallerOf(call), in, need)
}

// Check tells whether the caller may do the action on each of the resources, none
// standing for "*". The refusal is a fault.AccessDenied. keys are condition keys
// beside those that every request has.
func (a *Access) Check(_ context.Context, who Caller, action string, resources []string, keys map[string][]string) error {
	return a.check(who, nil, gateway.Need{Action: action, Resources: resources, Keys: keys})
}

func (a *Access) check(who Caller, in any, need gateway.Need) error {
	v := a.Store.View()
	s := a.standing(v, &who)
	if len(need.Resources) == 0 {
		return a.decide(&who, &s, in, need, "*")
	}
	for _, resource := range need.Resources {
		if err := a.decide(&who, &s, in, need, resource); err != nil {
			return err
		}
	}
	return nil
}

// decide judges one action on one resource.
func (a *Access) decide(who *Caller, s *standing, in any, need gateway.Need, resource string) error {
	q := question{who: who, standing: s, resources: a.Resources, action: need.Action, resource: resource, given: need.Keys, in: in}
	d, err := a.decision(&q)
	if err != nil {
		return err
	}
	if a.Observe != nil {
		a.Observe(observationOf(&q, d.Effect))
	}
	if d.Effect == policy.Allow {
		if s.trial.name != "" && a.Observe != nil {
			a.try(q)
		}
		return nil
	}
	return a.denial(&q, d)
}

// decision is that of the policies; root's is always to allow in its account, and that
// of whoever is gone to deny.
func (a *Access) decision(q *question) (policy.Decision, error) {
	if q.standing.gone != "" {
		return policy.Decision{Source: policy.IdentityBased}, nil
	}
	policies := q.standing.policies
	text := a.ofResource(q.resource, &policies)
	if q.standing.all && (policies.Owner == "" || policies.Owner == q.who.Principal.Account) {
		return policy.Decision{Effect: policy.Allow}, nil
	}
	if text != "" {
		document, err := a.documents.read(text, policy.Resource)
		if err != nil {
			return policy.Decision{}, unreadable(q.resource, err)
		}
		policies.Resource = &policy.Applied{Name: q.resource, Document: document}
		policies.Trusting = strings.HasPrefix(q.action, "kms:") // a key's policy must let IAM's policies count
	}
	return policy.Decide(&policy.Request{
		Principal: q.who.Principal, Action: q.action, Resource: q.resource, Keys: q.key,
	}, &policies), nil
}

// ofResource is the text of the resource's own policy, empty for none, and notes who
// owns it.
func (a *Access) ofResource(resource string, to *policy.Policies) (text string) {
	to.Owner = accountOf(resource)
	if a.Resources == nil {
		return ""
	}
	text, owner, ok := a.Resources.Policy(resource)
	if ok && owner != "" {
		to.Owner = owner
	}
	return text
}

// accountOf is the account in an ARN; empty for none of twelve digits.
func accountOf(resource string) string {
	colons, from := 0, 0
	for i := range len(resource) {
		if resource[i] != ':' {
			continue
		}
		if colons++; colons == 4 {
			from = i + 1
		}
		if colons == 5 {
			if i-from == len("123456789012") {
				return resource[from:i]
			}
			return ""
		}
	}
	return ""
}
