package server

import (
	"strings"

	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/plane/witness"
)

// observe tells the witness of a decision. A session counts for its role.
func (s *Server) observe(o access.Observation) {
	principal := o.Principal
	switch {
	case o.RoleARN != "":
		principal = o.RoleARN
	case strings.HasSuffix(principal, ":root"):
		principal = "" // may do everything: only its key counts
	}
	s.witness.Saw(witness.Sighting{
		Principal: principal, KeyID: o.KeyID, Trial: o.Trial, Action: o.Action, Resource: o.Resource, Region: o.Region,
		Allowed: o.Effect == policy.Allow, At: o.At,
	})
}

// seen tells IAM what the witness saw.
type seen struct{ witness *witness.Witness }

// KeyUsed implements iam.Usage.
func (s seen) KeyUsed(id string) (iam.LastUse, bool) { return lastUse(s.witness.KeyUsed(id)) }

// RoleUsed implements iam.Usage.
func (s seen) RoleUsed(arn string) (iam.LastUse, bool) { return lastUse(s.witness.PrincipalUsed(arn)) }

func lastUse(u witness.LastUse, ok bool) (iam.LastUse, bool) {
	return iam.LastUse{At: u.At, Service: u.Service, Region: u.Region}, ok
}

// Services implements iam.Usage.
func (s seen) Services(principal string) []iam.ServiceUse {
	var out []iam.ServiceUse
	for _, u := range s.witness.Uses(principal, "") { // in order of services
		if len(out) == 0 || out[len(out)-1].Service != u.Service() {
			out = append(out, iam.ServiceUse{LastUse: iam.LastUse{Service: u.Service()}, Actions: map[string]iam.LastUse{}})
		}
		service := &out[len(out)-1]
		last := iam.LastUse{At: u.Last, Service: u.Service(), Region: u.Region}
		_, name, _ := strings.Cut(u.Action, ":")
		if last.At.After(service.Actions[name].At) {
			service.Actions[name] = last
		}
		if last.At.After(service.At) {
			service.LastUse = last
		}
	}
	return out
}
