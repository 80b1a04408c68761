package gatewaytest

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// AllowAll is a policy that allows everything.
const AllowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// Role makes a role with inline policies, each a JSON document, or the one that is
// there anew, and returns the keys of a session of it.
func (s *Server) Role(t testing.TB, name string, documents ...string) identity.AccessKey {
	t.Helper()
	role := &identity.Role{
		Account: Scope.Account, Name: name, Path: "/", ID: "AROA" + name, ARN: Scope.Global("iam", "role/"+name),
		Trust: Trusting("ecs-tasks.amazonaws.com", "ec2.amazonaws.com", "ecs.amazonaws.com", "events.amazonaws.com"),
	}
	for n, document := range documents {
		role.Grants.Inline = append(role.Grants.Inline, identity.InlinePolicy{Name: fmt.Sprint("inline", n), Document: document})
	}
	s.Put(t, func(tx *store.Tx) { store.Roles.Put(tx, role) })
	now := time.Now()
	key, err := identity.NewSession(identity.SessionOf(role, "test"), rand.Reader, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return s.AddKey(t, key)
}

// Trusting is a trust policy that lets services assume a role.
func Trusting(services ...string) string {
	return policyText(statement{"Effect": "Allow", "Principal": statement{"Service": services}, "Action": "sts:AssumeRole"})
}
