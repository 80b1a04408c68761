package store

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// ClientToken remembers an idempotent request: the same token with the same
// parameters gets the same answer, with others an error.
type ClientToken struct {
	Scope     arn.Scope
	Operation string // RunTask
	Token     string
	Digest    string   // of the parameters
	Resources []string // what the request made, as keys to answer from
	Answer    []byte   // the answer itself where Resources cannot give it back; nil otherwise
	ExpiresAt time.Time
}

// ClientTokens by ClientTokenKey.
var ClientTokens = &Table[ClientToken]{
	ID: clientTokens, Noun: "client-token", Schema: 1,
	Primary: func(t *ClientToken) string { return ClientTokenKey(t.Scope, t.Operation, t.Token) },
	Indexes: []*Index[ClientToken]{ClientTokensExpiring},
}

// ClientTokensExpiring orders client tokens by when they end.
var ClientTokensExpiring = &Index[ClientToken]{
	Key:  func(t *ClientToken) string { return ends(t.ExpiresAt) },
	Rank: func(t *ClientToken) int64 { return t.ExpiresAt.UnixNano() },
}

// ClientTokenKey is the primary key of a token of an operation.
func ClientTokenKey(s arn.Scope, operation, token string) string {
	return s.Account + "/" + s.Region + "/" + operation + "/" + token
}
