package secret

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

// Reference is what a task definition names in confidence: a secret of Secrets
// Manager or a parameter.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
type Reference struct {
	Manager bool   // in Secrets Manager; a parameter otherwise
	ID      string // ARN or name, without what may follow it
	Stage   string // of the secret's version
	// Pinned is true when it means the same version for ever: a version's id or
	// number, or a parameter's label, which berth takes for one.
	Pinned bool
}

// ReferenceOf reads a container's valueFrom. One that cannot be read leads nowhere.
func ReferenceOf(valueFrom string) Reference {
	a, err := arn.Parse(valueFrom)
	switch {
	case err == nil && a.Service == "secretsmanager":
		return managed(a)
	case err == nil:
		name, selector := Select(a.Resource)
		a.Resource = name
		return Reference{ID: a.String(), Pinned: selector != Selector{}}
	}
	name, selector := Select(valueFrom)
	return Reference{ID: name, Pinned: selector != Selector{}}
}

// managed reads secret:NAME, or secret:NAME:json-key:version-stage:version-id.
func managed(a arn.ARN) Reference {
	r := Reference{Manager: true, Stage: Current}
	parts := strings.Split(a.Resource, ":")
	if len(parts) == 5 {
		if parts[3] != "" {
			r.Stage = parts[3]
		}
		r.Pinned = parts[4] != ""
	}
	a.Resource = strings.Join(parts[:min(2, len(parts))], ":")
	r.ID = a.String()
	return r
}

// CredentialsOf reads a container's repositoryCredentials: the ARN or name of a secret.
func CredentialsOf(id string) Reference { return Reference{Manager: true, ID: id, Stage: Current} }
