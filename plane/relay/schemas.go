package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
)

const (
	schemaLife = time.Minute // somebody may make a table anew past us
	maxSchemas = 4096        // beyond it all are forgotten, which costs a call each
)

// schemas remembers the partition keys of tables.
type schemas struct {
	mu    sync.Mutex
	known map[string]schema // by region and table
}

// schema has the partition key of a table under "", and of its indexes by name.
type schema struct {
	keys map[string]string
	at   time.Time
}

// key is the partition key that an access is bound by. known is false when the
// engine has no such table or index, which it will say itself.
func (s *schemas) key(ctx context.Context, r *Relay, call *gateway.Call, a access) (key string, known bool, err error) {
	place := call.Scope.Region + "/" + a.name()
	s.mu.Lock()
	have, ok := s.known[place]
	s.mu.Unlock()
	if !ok || call.Now.Sub(have.at) > schemaLife || have.keys[a.index] == "" {
		if have, err = r.describe(ctx, call, a.name()); err != nil {
			return "", false, err
		}
		s.keep(place, have)
	}
	key = have.keys[a.index]
	return key, key != "", nil
}

func (s *schemas) keep(place string, have schema) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSchemas {
		s.known = map[string]schema{}
	}
	if have.keys != nil {
		s.known[place] = have
	}
}

func (s *schemas) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = nil
}

type keySchema []struct{ AttributeName, KeyType string }

func (k keySchema) hash() string {
	for _, element := range k {
		if element.KeyType == "HASH" {
			return element.AttributeName
		}
	}
	return ""
}

type indexed struct {
	IndexName string
	KeySchema keySchema
}

// describe asks the engine for the keys of a table; none when it has no such table.
func (r *Relay) describe(ctx context.Context, call *gateway.Call, table string) (schema, error) {
	body, err := json.Marshal(map[string]string{"TableName": table})
	if err != nil {
		return schema{}, err
	}
	status, text, err := r.ask(ctx, call, "DynamoDB_20120810.DescribeTable", body)
	if err != nil {
		return schema{}, err
	}
	var answer struct {
		Table struct {
			KeySchema              keySchema
			GlobalSecondaryIndexes []indexed
			LocalSecondaryIndexes  []indexed
		}
	}
	if status == http.StatusBadRequest && bytes.Contains(text, []byte("ResourceNotFoundException")) {
		return schema{}, nil
	}
	if err := json.Unmarshal(text, &answer); err != nil || status != http.StatusOK {
		return schema{}, fault.New(fault.Unavailable, "The engine of dynamodb does not describe its table %s.", table)
	}
	s := schema{keys: map[string]string{"": answer.Table.KeySchema.hash()}, at: call.Now}
	for _, i := range append(answer.Table.GlobalSecondaryIndexes, answer.Table.LocalSecondaryIndexes...) {
		s.keys[i.IndexName] = i.KeySchema.hash()
	}
	return s, nil
}
