package store

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/workload"
)

// ResourcePolicy is the policy of the secret or key that the ARN names; false when
// there is no such resource, or it has none. A key always has one.
func ResourcePolicy(r Reader, name string) (string, bool) {
	a, err := arn.Parse(name)
	if err != nil {
		return "", false
	}
	switch a.Service {
	case "secretsmanager":
		s, ok := FindSecret(r, a.Scope(), name)
		if !ok || s.Policy == "" {
			return "", false
		}
		return s.Policy, true
	case "kms":
		k, ok := FindCryptKey(r, a.Scope(), name)
		if !ok {
			return "", false
		}
		return k.ResourcePolicy(), true
	}
	return "", false
}

// ResourceTags are the tags of the secret, parameter, key or certificate that the ARN names;
// false when there is no such resource.
func ResourceTags(r Reader, name string) ([]workload.Tag, bool) {
	a, err := arn.Parse(name)
	if err != nil {
		return nil, false
	}
	switch a.Service {
	case "secretsmanager":
		if s, ok := FindSecret(r, a.Scope(), name); ok {
			return s.Tags, true
		}
	case "ssm":
		if p, ok := FindParameter(r, a.Scope(), name); ok {
			return p.Tags, true
		}
	case "kms":
		if k, ok := FindCryptKey(r, a.Scope(), name); ok {
			return k.Tags, true
		}
	case "acm":
		if c, ok := Certificates.Get(r, name); ok {
			return c.Tags, true
		}
	}
	return nil, false
}

// FindParameter finds a parameter by name or ARN, both without a selector. An ARN
// does not tell whether the name begins with a slash.
func FindParameter(r Reader, scope arn.Scope, name string) (*secret.Parameter, bool) {
	a, err := arn.Parse(name)
	if err != nil {
		return Parameters.Get(r, ScopeKey(scope, name))
	}
	bare, ok := strings.CutPrefix(a.Resource, "parameter/")
	if !ok || a.Service != "ssm" {
		return nil, false
	}
	if p, ok := Parameters.Get(r, ScopeKey(a.Scope(), "/"+bare)); ok {
		return p, true
	}
	return Parameters.Get(r, ScopeKey(a.Scope(), bare))
}
