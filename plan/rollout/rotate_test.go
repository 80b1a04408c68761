package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

var login = secret.ARN(scope, "login", "AbCdEf")

// confide deploys the service with a definition that names the secret login and the
// parameter /mode in every way.
func confide(t *testing.T, tag string, c *workload.Container) *stage {
	t.Helper()
	w := play(t, service.Configuration{}, 1)
	w.rotate("v1")
	w.set(1)
	w.change(func(_ *store.Tx, s *service.Service) { s.Tags = []workload.Tag{{Key: rollout.RedeployTag, Value: tag}} })
	w.deploy("one")
	w.update(func(tx *store.Tx) {
		c.Name, c.Essential = "app", true
		store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "one", Family: "one", Revision: 1, Containers: []workload.Container{*c}})
	})
	w.settle()
	w.pass(time.Minute)
	w.is("SUCCESSFUL, one 1/1 0/0")
	return w
}

// rotate gives the secret a new current version.
func (w *stage) rotate(version string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		next := secret.Secret{Scope: scope, Name: "login", ARN: login}
		if have, ok := store.Secrets.Get(tx, store.ScopeKey(scope, "login")); ok {
			next = *have
		}
		next.Versions = secret.WithVersion(next.Versions, secret.Version{ID: version, Stages: []string{secret.Current}})
		store.Secrets.Put(tx, &next)
	})
}

// set gives the parameter its newest version.
func (w *stage) set(latest int64) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		store.Parameters.Put(tx, &secret.Parameter{Scope: scope, Name: "/mode", ARN: secret.ParameterARN(scope, "/mode"), Latest: latest, Oldest: 1})
	})
}

func told(valueFrom string) *workload.Container {
	return &workload.Container{Secrets: []workload.Secret{{Name: "X", ValueFrom: valueFrom}}}
}

// TestRotationsBeginADeployment rotates what a service names in each place, and what
// it does not follow.
func TestRotationsBeginADeployment(t *testing.T) {
	const secretSaid, parameterSaid = "secret", "parameter"
	for name, c := range map[string]struct {
		container *workload.Container
		tag, said string
	}{
		"a secret":               {told(login), "true", secretSaid},
		"a member of a secret":   {told(login + ":password::"), "true", secretSaid},
		"what was current":       {told(login + "::AWSPREVIOUS:"), "true", ""}, // there was none to begin with
		"a version of a secret":  {told(login + ":::v1"), "true", ""},
		"a parameter":            {told("/mode"), "true", parameterSaid},
		"a parameter's ARN":      {told(secret.ParameterARN(scope, "/mode")), "true", parameterSaid},
		"a parameter's version":  {told("/mode:1"), "true", ""},
		"what is not there":      {told("/nothing"), "true", ""},
		"credentials":            {&workload.Container{RepositoryCredentials: "login"}, "true", secretSaid},
		"a log option":           {&workload.Container{Log: &workload.LogConfiguration{SecretOptions: told(login).Secrets}}, "true", secretSaid},
		"without the tag":        {told(login), "false", ""},
		"without what is secret": {&workload.Container{}, "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := confide(t, c.tag, c.container)
			before := w.service().LastRollout
			w.rotate("v2")
			w.set(2)
			w.settle()
			w.pass(time.Minute)
			begun := w.service().LastRollout != before
			if begun != (c.said != "") {
				t.Fatalf("begun: %v; %s", begun, w.seen())
			}
			arn := map[string]string{secretSaid: login, parameterSaid: secret.ParameterARN(scope, "/mode")}[c.said]
			if begun && !w.said(fmt.Sprintf("(service web) %s %s has a new version; starting a deployment.", c.said, arn)) {
				t.Error("not said")
			}
			if r, _ := store.Rollouts.Get(w.s.View(), w.service().LastRollout); r.Status != service.Successful {
				t.Errorf("%+v", r)
			}
			after := w.service().LastRollout
			if w.pass(time.Hour); w.service().LastRollout != after {
				t.Error("it begins again without a reason")
			}
		})
	}
}

// TestARotationWaitsForTheRolloutUnderWay lets a rollout end, and then begins one
// more for the version that came meanwhile.
func TestARotationWaitsForTheRolloutUnderWay(t *testing.T) {
	w := confide(t, "true", told(login))
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Configuration.BakeMinutes = minutes(5) })
	w.rotate("v2")
	w.settle()
	first := w.service().LastRollout
	w.rotate("v3")
	w.pass(4 * time.Minute)
	if got := w.service(); got.LastRollout != first || got.Rollout != first {
		t.Fatal(w.seen())
	}
	w.pass(2 * time.Minute)
	second := w.service().Rollout
	if second == "" || second == first {
		t.Fatal(w.seen())
	}
	if w.pass(time.Hour); w.service().LastRollout != second {
		t.Error(w.seen())
	}
}

// TestARotationThatFailsIsNotTriedAgain rolls back from a version that no task starts
// with, and stays there until there is another one.
func TestARotationThatFailsIsNotTriedAgain(t *testing.T) {
	w := confide(t, "true", told(login))
	w.change(func(_ *store.Tx, s *service.Service) {
		s.Spec.Configuration.Breaker = &service.Breaker{Enable: true, Rollback: true}
	})
	w.broken["one"] = true
	w.rotate("v2")
	for range 200 {
		w.pass(10 * time.Second)
	}
	failed := w.service().LastRollout
	if r, _ := store.Rollouts.Get(w.s.View(), failed); r.Status != service.RollbackSuccessful {
		t.Fatal(w.seen())
	}
	w.pass(time.Hour)
	if w.service().LastRollout != failed {
		t.Fatal("it is tried again")
	}
	w.broken["one"] = false
	w.rotate("v3")
	w.settle()
	w.pass(time.Minute)
	if r, _ := store.Rollouts.Get(w.s.View(), w.service().LastRollout); r.ARN == failed || r.Status != service.Successful {
		t.Error(w.seen())
	}
}

// TestASecretWakesWhoFollowsIt looks at no service for what is not a new version.
func TestASecretWakesWhoFollowsIt(t *testing.T) {
	w := confide(t, "true", told(login))
	old, _ := store.Secrets.Get(w.s.View(), store.ScopeKey(scope, "login"))
	read, rotated := *old.Accessed("v1", w.now), *old
	rotated.Versions = secret.WithVersion(old.Versions, secret.Version{ID: "v2", Stages: []string{secret.Current}})
	other := rotated
	other.ARN = "other"
	for _, c := range []struct {
		next *secret.Secret
		want int
	}{{&read, 0}, {&rotated, 1}, {&other, 0}} {
		if got := w.concerns(store.Event{Table: store.Secrets, Key: "login", Old: old, New: c.next}); len(got) != c.want {
			t.Errorf("%+v: %v", c.next, got)
		}
	}
}
