package store

import (
	"fmt"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
)

// ScopeKey is the primary key of what is named within an account and region. All
// of a scope share the prefix ScopeKey(scope, "").
func ScopeKey(s arn.Scope, name string) string { return s.Account + "/" + s.Region + "/" + name }

// Secrets by ScopeKey of their name. A new value changes Versions, so who waits
// for one watches this table and compares the id of the version with AWSCURRENT.
var Secrets = &Table[secret.Secret]{
	ID: secrets, Noun: "secret", Schema: 1,
	Primary: func(s *secret.Secret) string { return ScopeKey(s.Scope, s.Name) },
}

// SecretValues by SecretValueKey.
var SecretValues = &Table[secret.Value]{
	ID: secretValues, Noun: "secret-value", Schema: 1,
	Primary: func(v *secret.Value) string { return SecretValueKey(v.SecretARN, v.VersionID) },
}

// SecretValueKey is the primary key of a version's value.
func SecretValueKey(secretARN, version string) string { return secretARN + "/" + version }

// FindSecret finds a secret by name, ARN or ARN without the random end.
func FindSecret(r Reader, scope arn.Scope, id string) (*secret.Secret, bool) {
	if a, err := arn.Parse(id); err == nil {
		scope = a.Scope()
	}
	for _, name := range secret.NamesIn(id) {
		if s, ok := Secrets.Get(r, ScopeKey(scope, name)); ok && s.Means(id) {
			return s, true
		}
	}
	return nil, false
}

// DeleteSecret removes a secret and its values.
func DeleteSecret(tx *Tx, s *secret.Secret) {
	for _, v := range s.Versions {
		SecretValues.Delete(tx, SecretValueKey(s.ARN, v.ID))
	}
	Secrets.Delete(tx, ScopeKey(s.Scope, s.Name))
}

// Parameters by ScopeKey of their name. A new value raises Latest.
var Parameters = &Table[secret.Parameter]{
	ID: parameters, Noun: "parameter", Schema: 1,
	Primary: func(p *secret.Parameter) string { return ScopeKey(p.Scope, p.Name) },
}

// Editions are the versions of parameters, by EditionKey.
var Editions = &Table[secret.Edition]{
	ID: editions, Noun: "parameter-version", Schema: 1,
	Primary: func(e *secret.Edition) string { return EditionKey(e.Scope, e.Name, e.Version) },
}

// EditionKey orders the versions of a parameter by their number. A colon is in no
// name, so that those of one name share a prefix that no other name has.
func EditionKey(s arn.Scope, name string, version int64) string {
	return editionPrefix(s, name) + fmt.Sprintf("%019d", version)
}

func editionPrefix(s arn.Scope, name string) string { return ScopeKey(s, name) + ":" }

// DeleteParameter removes a parameter and its versions.
func DeleteParameter(tx *Tx, p *secret.Parameter) {
	for v := p.Oldest; v <= p.Latest; v++ {
		Editions.Delete(tx, EditionKey(p.Scope, p.Name, v))
	}
	Parameters.Delete(tx, ScopeKey(p.Scope, p.Name))
}
