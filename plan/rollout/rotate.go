package rollout

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// RedeployTag, with the value "true", lets a service begin a new deployment when a
// secret or parameter that its tasks are told has a new version. AWS leaves that to
// who rotates it.
const RedeployTag = "berth:redeploy-on-rotation"

func follows(s *service.Service) bool {
	return slices.Contains(s.Tags, workload.Tag{Key: RedeployTag, Value: "true"})
}

// renewed is the ARN of the secret or parameter whose versions an event changes.
func renewed(e store.Event) (string, bool) {
	if old, next, ok := store.Secrets.Of(e); ok {
		same := old != nil && next != nil && slices.EqualFunc(old.Versions, next.Versions, func(a, b secret.Version) bool {
			return a.ID == b.ID && slices.Equal(a.Stages, b.Stages)
		})
		return cmp.Or(next, old).ARN, !same
	}
	old, next, ok := store.Parameters.Of(e)
	if !ok || old != nil && next != nil && old.Latest == next.Latest {
		return "", false
	}
	return cmp.Or(next, old).ARN, true
}

// followers names the services that follow a secret or parameter.
func followers(v *store.View, arn string) []string {
	var out []string
	for s := range store.Services.All(v) {
		if !follows(s) {
			continue
		}
		r, ok := store.Rollouts.Get(v, s.LastRollout)
		if ok && slices.ContainsFunc(r.Secrets, func(x service.SecretVersion) bool { return x.ARN == arn }) {
			out = append(out, s.ARN)
		}
	}
	return out
}

// remember notes which versions the rollout under way begins with, and those that a
// rollback finds.
func (l *look) remember() {
	if l.rollout == nil {
		return
	}
	for _, target := range []string{l.rollout.Target, l.rollout.BackTo} {
		rev, ok := l.revision(target)
		if !ok {
			continue
		}
		for _, found := range l.confided(rev.Template.DefinitionARN) {
			if remembered(l.rollout, found) == "" {
				l.rollout.Secrets = append(slices.Clip(l.rollout.Secrets), found)
			}
		}
	}
}

// remembered is the version that a rollout began with; empty when it knew none.
func remembered(r *service.Rollout, now service.SecretVersion) string {
	for _, then := range r.Secrets {
		if then.ARN == now.ARN && then.Stage == now.Stage {
			return then.Version
		}
	}
	return ""
}

// rotated are the versions that the newest rollout did not begin with, of a service
// that asks for it. A rollout under way is let end first.
func (l *look) rotated() []service.SecretVersion {
	if l.rollout != nil || l.was.Status != service.Active || l.was.Spec.BySets() || !follows(l.was) {
		return nil
	}
	last, ok := store.Rollouts.Get(l.view, l.was.LastRollout)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(l.confided(l.was.Spec.Template.DefinitionARN), func(now service.SecretVersion) bool {
		then := remembered(last, now)
		return then == "" || then == now.Version
	})
}

// redeploy begins a deployment of what the service runs already.
func (l *look) redeploy(rotated []service.SecretVersion) plan.Decision {
	return plan.Decision{Changes: []plan.Change{{Subject: l.was.ARN, Says: "redeploy", Apply: func(tx *store.Tx) error {
		have, ok := store.Services.Get(tx, l.was.ARN)
		if !ok || have.Version != l.was.Version {
			return plan.ErrStale
		}
		next := l.next
		Begin(tx, &next, l.NewID, l.now)
		next.Version++
		var said []service.Event
		for _, v := range rotated {
			what := "parameter"
			if v.Stage != "" {
				what = "secret"
			}
			said = append(said, service.Event{Message: next.SayRotated(what, v.ARN)})
		}
		l.say(tx, &next, said)
		store.Services.Put(tx, &next)
		return nil
	}}}}
}

// confided are the present versions of what a task definition names in confidence,
// each once: not of what is pinned to a version, and not of what is not there.
func (l *look) confided(definition string) []service.SecretVersion {
	def, ok := store.TaskDefinitions.Get(l.view, definition)
	if !ok {
		return nil
	}
	var out []service.SecretVersion
	for _, r := range references(def) {
		if v, ok := present(l.view, l.was.Scope, r); ok && !r.Pinned && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func references(def *workload.Definition) (out []secret.Reference) {
	for i := range def.Containers {
		c := &def.Containers[i]
		if c.RepositoryCredentials != "" {
			out = append(out, secret.CredentialsOf(c.RepositoryCredentials))
		}
		named := c.Secrets
		if c.Log != nil {
			named = slices.Concat(named, c.Log.SecretOptions)
		}
		for _, s := range named {
			out = append(out, secret.ReferenceOf(s.ValueFrom))
		}
	}
	return out
}

// present is the version that a reference leads to.
func present(r store.Reader, scope arn.Scope, ref secret.Reference) (service.SecretVersion, bool) {
	if ref.Manager {
		s, ok := store.FindSecret(r, scope, ref.ID)
		if !ok || s.Deleting() {
			return service.SecretVersion{}, false
		}
		v, ok := s.Staged(ref.Stage)
		return service.SecretVersion{ARN: s.ARN, Stage: ref.Stage, Version: v.ID}, ok
	}
	p, ok := store.FindParameter(r, scope, ref.ID)
	if !ok {
		return service.SecretVersion{}, false
	}
	return service.SecretVersion{ARN: p.ARN, Version: strconv.FormatInt(p.Latest, 10)}, true
}
