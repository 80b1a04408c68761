package store

import (
	"time"

	"github.com/berthhq/berth/domain/identity"
)

// AccessKeys by access key id.
var AccessKeys = &Table[identity.AccessKey]{
	ID: accessKeys, Noun: "access-key", Schema: 1,
	Primary: func(k *identity.AccessKey) string { return k.ID },
	Indexes: []*Index[identity.AccessKey]{AccessKeysByTask, AccessKeysByInstance, AccessKeysByOwner, AccessKeysExpiring},
}

// AccessKeysByTask finds the keys given to a task, by its ARN.
var AccessKeysByTask = &Index[identity.AccessKey]{
	Key: func(k *identity.AccessKey) string { return k.Principal.TaskARN },
}

// AccessKeysByInstance finds the keys bound to an instance, by its ARN.
var AccessKeysByInstance = &Index[identity.AccessKey]{
	Key: func(k *identity.AccessKey) string { return k.Principal.InstanceARN },
}

// AccessKeysByOwner finds all keys of a user by the user's id, and those of an
// account's root by the account: long-term ones, sessions, and sessions of those
// they let in.
var AccessKeysByOwner = &Index[identity.AccessKey]{
	Key: func(k *identity.AccessKey) string {
		p := k.Principal
		if k.Session != nil && k.Session.Federated {
			p = k.Session.By
		}
		if p.Kind != identity.User && p.Kind != identity.Root {
			return ""
		}
		return p.UserID
	},
}

// Expiring is the one key of the indexes that order records by their end.
const Expiring = "expiring"

// AccessKeysExpiring orders the keys that end by when they do.
var AccessKeysExpiring = &Index[identity.AccessKey]{
	Key:  func(k *identity.AccessKey) string { return ends(k.ExpiresAt) },
	Rank: func(k *identity.AccessKey) int64 { return k.ExpiresAt.UnixNano() },
}

// JoinTokens by the hash of their secret.
var JoinTokens = &Table[identity.JoinToken]{
	ID: joinTokens, Noun: "join-token", Schema: 1,
	Primary: func(t *identity.JoinToken) string { return t.Hash },
	Indexes: []*Index[identity.JoinToken]{JoinTokensExpiring},
}

// JoinTokensExpiring orders join tokens by when they end.
var JoinTokensExpiring = &Index[identity.JoinToken]{
	Key:  func(t *identity.JoinToken) string { return ends(t.ExpiresAt) },
	Rank: func(t *identity.JoinToken) int64 { return t.ExpiresAt.UnixNano() },
}

func ends(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return Expiring
}
