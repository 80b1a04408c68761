package store

import (
	"iter"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
)

// CryptKeys are the keys of KMS, by ScopeKey of their id.
var CryptKeys = &Table[secret.Key]{
	ID: cryptKeys, Noun: "kms-key", Schema: 1,
	Primary: func(k *secret.Key) string { return ScopeKey(k.Scope, k.ID) },
}

// KeyAliases by ScopeKey of their name.
var KeyAliases = &Table[secret.Alias]{
	ID: keyAliases, Noun: "kms-alias", Schema: 1,
	Primary: func(a *secret.Alias) string { return ScopeKey(a.Scope, a.Name) },
	Indexes: []*Index[secret.Alias]{KeyAliasesByKey},
}

// KeyAliasesByKey finds the aliases of a key, by its ARN.
var KeyAliasesByKey = &Index[secret.Alias]{
	Key: func(a *secret.Alias) string { return secret.KeyARN(a.Scope, a.KeyID) },
}

// FindCryptKey finds a key by id, alias, or the ARN of either.
func FindCryptKey(r Reader, scope arn.Scope, name string) (*secret.Key, bool) {
	n, ok := secret.ReadKeyName(scope, name)
	if !ok {
		return nil, false
	}
	if n.Alias != "" {
		a, ok := KeyAliases.Get(r, ScopeKey(n.Scope, n.Alias))
		if !ok {
			return nil, false
		}
		n.ID = a.KeyID
	}
	return CryptKeys.Get(r, ScopeKey(n.Scope, n.ID))
}

// AliasesOf yields the aliases of a key.
func AliasesOf(r Reader, k *secret.Key) iter.Seq[*secret.Alias] {
	return KeyAliases.By(r, KeyAliasesByKey, k.ARN)
}

// DeleteCryptKey removes a key and its aliases: nothing it encrypted opens again.
func DeleteCryptKey(tx *Tx, k *secret.Key) {
	for a := range AliasesOf(tx, k) {
		KeyAliases.Delete(tx, ScopeKey(a.Scope, a.Name))
	}
	CryptKeys.Delete(tx, ScopeKey(k.Scope, k.ID))
}
