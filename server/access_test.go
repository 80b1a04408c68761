package server

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var home = arn.Scope{Account: "123456789012", Region: "eu-central-1"}

// oneGroup is an archive with one log group.
type oneGroup struct{}

func (oneGroup) Group(_ arn.Scope, name string) (telemetry.Group, error) {
	if name != "g" {
		return telemetry.Group{}, errors.New("no such group")
	}
	return telemetry.Group{Name: "g", Tags: map[string]string{"team": "blue"}}, nil
}

func put(t *testing.T, st store.Store, change func(*store.Tx)) {
	t.Helper()
	if _, err := st.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestTheRegistryAsksPoliciesAsTheyAre(t *testing.T) {
	st := memory.Open()
	i := images{st, access.New(access.Config{Store: st, Resources: resources{st, oneGroup{}}}), time.Now}
	role := &identity.Role{Account: home.Account, Name: "pulls", ID: "AROAPULLS", ARN: home.Global("iam", "role/pulls")}
	key, err := identity.NewSession(identity.SessionOf(role, "task"), rand.Reader, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	web := &image.Repository{Scope: home, Name: "web", ARN: image.RepositoryARN(home, "web")}
	may := func(actions string) {
		next := *role
		next.Grants.Inline = []identity.InlinePolicy{{Name: "p", Document: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + actions + `","Resource":"` + web.ARN + `"}}`}}
		put(t, st, func(tx *store.Tx) { store.Roles.Put(tx, &next) })
	}
	put(t, st, func(tx *store.Tx) { store.AccessKeys.Put(tx, &key); store.Repositories.Put(tx, web) })
	pull := func() error {
		return i.Allow(t.Context(), registry.Grant{Principal: key.Principal, AccessKeyID: key.ID}, "ecr:BatchGetImage", web.ARN)
	}
	if may("ecr:*"); pull() != nil {
		t.Error(pull())
	}
	may("ecr:PutImage")
	if err := pull(); err == nil || !strings.Contains(err.Error(), "is not authorized to perform: ecr:BatchGetImage on resource: "+web.ARN+" because no identity-based policy allows") {
		t.Errorf("a policy that was taken away: %v", err)
	}
	open := *web
	open.Policy = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + role.ARN + `"},"Action":"ecr:BatchGetImage"}]}`
	put(t, st, func(tx *store.Tx) { store.Repositories.Put(tx, &open) })
	if err := pull(); err != nil {
		t.Errorf("the repository's policy: %v", err)
	}
	put(t, st, func(tx *store.Tx) { store.AccessKeys.Delete(tx, key.ID) })
	if pull() == nil {
		t.Error("a key that is gone")
	}
}

func TestTagsOfResources(t *testing.T) {
	st, blue := memory.Open(), []workload.Tag{{Key: "team", Value: "blue"}}
	web := &image.Repository{Scope: home, Name: "web", ARN: image.RepositoryARN(home, "web"), Tags: map[string]string{"team": "blue"}}
	siren := &alarm.Alarm{Scope: home, Name: "a", Definition: alarm.Definition{}}
	siren.Tags = map[string]string{"team": "blue"}
	put(t, st, func(tx *store.Tx) {
		store.Clusters.Put(tx, &cluster.Cluster{Scope: home, ARN: home.Cluster("lab"), Name: "lab", Status: cluster.Active, Tags: blue})
		store.Repositories.Put(tx, web)
		store.Alarms.Put(tx, siren)
		store.Roles.Put(tx, &identity.Role{Account: home.Account, Name: "r", ARN: home.Global("iam", "role/r"), Tags: blue})
		store.Users.Put(tx, &identity.UserRecord{Account: home.Account, Name: "u", ARN: home.Global("iam", "user/u"), Tags: blue})
		store.Rules.Put(tx, &event.Rule{Scope: home, Bus: event.DefaultBus, Name: "r", ARN: home.Of("events", "rule/r"), Tags: blue})
	})
	all := resources{st, oneGroup{}}
	for _, resource := range []string{
		home.Cluster("lab"), web.ARN, siren.ARN(), home.Global("iam", "role/r"), home.Global("iam", "user/u"), home.Of("events", "rule/r"),
		home.Of("logs", "log-group:g"), home.Of("logs", "log-group:g:log-stream:s"),
	} {
		if tags, ok := all.Tags(resource); !ok || len(tags) != 1 || tags[0] != blue[0] {
			t.Errorf("%s: %v %v", resource, tags, ok)
		}
	}
	for _, resource := range []string{"*", home.Cluster("no"), image.RepositoryARN(home, "no"), home.Global("iam", "role/x/r"), home.Of("logs", "log-group:no"), home.Of("sqs", "q")} {
		if tags, ok := all.Tags(resource); ok {
			t.Errorf("%s has %v", resource, tags)
		}
	}
}
