package ecs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// Client tokens.
const (
	maxToken      = 64
	tokenLifetime = 24 * time.Hour // AWS keeps RunTask's for as long
)

// once makes a request with a client token take effect once: the same token with
// the same parameters gets the same tasks.
type once struct {
	token *store.ClientToken // nil without a token
}

// repeated is a request that was seen before; nil when it was not.
type repeated struct{ token *store.ClientToken }

func newOnce(call *gateway.Call, operation string, token *string, in *ecs.RunTaskRequest) (*once, error) {
	if token == nil || *token == "" {
		return &once{}, nil
	}
	if len(*token) > maxToken {
		return nil, invalid("clientToken can have at most %d characters.", maxToken)
	}
	if strings.ContainsFunc(*token, func(r rune) bool { return r < 33 || r > 126 }) {
		return nil, invalid("clientToken contains invalid characters.")
	}
	parameters := *in
	parameters.ClientToken = nil
	data, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return &once{token: &store.ClientToken{
		Scope: call.Scope, Operation: operation, Token: *token, Digest: hex.EncodeToString(sum[:]), ExpiresAt: call.Now.Add(tokenLifetime),
	}}, nil
}

// before finds an earlier request with the token. Other parameters than its are
// a conflict.
func (o *once) before(r store.Reader) (*repeated, error) {
	if o.token == nil {
		return nil, nil
	}
	have, ok := store.ClientTokens.Get(r, store.ClientTokenKey(o.token.Scope, o.token.Operation, o.token.Token))
	now := o.token.ExpiresAt.Add(-tokenLifetime)
	switch {
	case !ok || !have.ExpiresAt.After(now):
		return nil, nil
	case have.Digest != o.token.Digest:
		return nil, fault.New(fault.Conflict, "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different RunTask request.").About(have.Resources...)
	}
	return &repeated{have}, nil
}

// after remembers what the request made.
func (o *once) after(tx *store.Tx, made []*task.Task, failures []ecs.Failure) {
	if o.token == nil {
		return
	}
	t := *o.token
	for _, m := range made {
		t.Resources = append(t.Resources, m.ARN)
	}
	if len(failures) > 0 {
		t.Answer, _ = json.Marshal(failures) // three strings each: always marshals
	}
	store.ClientTokens.Put(tx, &t)
}

// tasks are those the earlier request made, as they are now.
func (p *repeated) tasks(r store.Reader) []*task.Task {
	if p == nil {
		return nil
	}
	var out []*task.Task
	for _, key := range p.token.Resources {
		if t, ok := store.Tasks.Get(r, key); ok {
			out = append(out, t)
		}
	}
	return out
}

func (p *repeated) failures() []ecs.Failure {
	if p == nil || p.token.Answer == nil {
		return nil
	}
	var out []ecs.Failure
	if json.Unmarshal(p.token.Answer, &out) != nil {
		return nil // written by an older version: the tasks are what counts
	}
	return out
}
