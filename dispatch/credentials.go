package dispatch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// Lives of a role's keys. Clients ask again when less than some minutes are left,
// so they are renewed well before.
const (
	keysLive      = 6 * time.Hour
	keysRenewedAt = time.Hour // before their end
)

// roleKeys are the credentials of one task.
type roleKeys struct{ task, execution *task.Credentials }

// role is one kind of role of a task.
type role struct {
	use string
	arn string
}

// keysFor finds the keys of the tasks' roles and mints those that are missing or
// about to end, all in one transaction, and none when nothing is missing.
func (d *Dispatcher) keysFor(ctx context.Context, tasks []*task.Task) (map[string]roleKeys, error) {
	v, now := d.Store.View(), d.Now()
	complete := true
	for _, t := range tasks {
		for _, r := range rolesOf(v, t) {
			if wanting(t, keyOf(v, t.ARN, r.use), now) {
				complete = false
			}
		}
	}
	if !complete {
		var err error
		if v, err = d.Store.Update(ctx, func(tx *store.Tx) error { return d.mintAll(tx, tasks, now) }); err != nil {
			return nil, fmt.Errorf("mint task credentials: %w", err)
		}
	}
	out := make(map[string]roleKeys, len(tasks))
	for _, t := range tasks {
		var keys roleKeys
		for _, r := range rolesOf(v, t) {
			c := credentials(keyOf(v, t.ARN, r.use), r.arn)
			if r.use == acs.RoleTaskApplication {
				keys.task = c
			} else {
				keys.execution = c
			}
		}
		out[t.ARN] = keys
	}
	return out, nil
}

// rolesOf lists the roles of a task.
func rolesOf(r store.Reader, t *task.Task) []role {
	def, ok := store.TaskDefinitions.Get(r, t.Spec.DefinitionARN)
	if !ok {
		return nil
	}
	var out []role
	if arn := t.Spec.TaskRole(def); arn != "" {
		out = append(out, role{acs.RoleTaskApplication, arn})
	}
	if arn := t.Spec.ExecutionRole(def); arn != "" {
		out = append(out, role{acs.RoleTaskExecution, arn})
	}
	return out
}

// keyOf is the newest of the task's keys for a use; nil when there is none.
func keyOf(r store.Reader, taskARN, use string) *identity.AccessKey {
	var newest *identity.AccessKey
	for k := range store.AccessKeys.By(r, store.AccessKeysByTask, taskARN) {
		if k.Use == use && (newest == nil || k.ExpiresAt.After(newest.ExpiresAt)) {
			newest = k
		}
	}
	return newest
}

// wanting tells whether a task needs new keys where it has k, or nil. One that is
// wanted stopped before it had keys needs none; one that stops slowly needs them
// until its end.
func wanting(t *task.Task, k *identity.AccessKey, now time.Time) bool {
	if k == nil {
		return t.DesiredStatus() == task.Running
	}
	return k.ExpiresAt.Sub(now) < keysRenewedAt
}

// mintAll makes the keys that are missing or due. Renewed keys are new keys under
// the same credentials id; the old ones live on until their own end.
func (d *Dispatcher) mintAll(tx *store.Tx, tasks []*task.Task, now time.Time) error {
	for _, t := range tasks {
		for _, r := range rolesOf(tx, t) {
			have := keyOf(tx, t.ARN, r.use)
			if !wanting(t, have, now) {
				continue
			}
			p, err := d.become(tx, r.arn, t)
			if err != nil {
				d.Log.Warn("a task does not get its role", "task", t.ARN, "role", r.arn, "why", err)
				giveUp(tx, t, r.arn, now)
				continue
			}
			k, err := identity.NewSession(p, rand.Reader, now, now.Add(keysLive))
			if err != nil {
				return err
			}
			k.Use, k.CredentialsID = r.use, newID()
			if have != nil {
				k.CredentialsID = have.CredentialsID
			}
			store.AccessKeys.Put(tx, &k)
		}
	}
	return nil
}

// become is the principal of a task in a role.
func (d *Dispatcher) become(r store.Reader, roleARN string, t *task.Task) (identity.Principal, error) {
	p := store.RoleSession(r, roleARN, t.ID)
	if d.Assume != nil {
		role, err := d.Assume(r, roleARN, t.ARN)
		if err != nil {
			return p, err
		}
		p = identity.SessionOf(role, t.ID)
	}
	p.TaskARN = t.ARN
	return p, nil
}

// giveUp stops a task that never started, for want of its role. One that runs goes
// on without: its keys end by themselves.
func giveUp(tx *store.Tx, t *task.Task, roleARN string, now time.Time) {
	have, ok := store.Tasks.Get(tx, t.ARN)
	if !ok || have.DesiredStatus() == task.Stopped || have.LastStatus() >= task.Running {
		return
	}
	next := *have
	next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopTaskFailedToStart, StoppedReason: task.RoleRefused(roleARN), StoppingAt: now}
	next.Version++
	store.Tasks.Put(tx, &next)
}

func credentials(k *identity.AccessKey, roleARN string) *task.Credentials {
	if k == nil {
		return nil
	}
	return &task.Credentials{
		ID: k.CredentialsID, RoleARN: roleARN, AccessKeyID: k.ID, SecretAccessKey: k.Secret,
		SessionToken: k.SessionToken, Expiration: k.ExpiresAt,
	}
}

// refresh sends new keys for the running tasks whose keys are due.
func (s *session) refresh(ctx context.Context) error {
	v, now := s.d.Store.View(), s.d.Now()
	var dueTasks []*task.Task
	for t := range store.Tasks.By(v, store.TasksByInstance, s.instance) {
		if t.LastStatus() == task.Stopped {
			break
		}
		for _, r := range rolesOf(v, t) {
			if wanting(t, keyOf(v, t.ARN, r.use), now) {
				dueTasks = append(dueTasks, t)
				break
			}
		}
	}
	if len(dueTasks) == 0 {
		return nil
	}
	keys, err := s.d.keysFor(ctx, dueTasks)
	if err != nil {
		return err
	}
	for _, t := range dueTasks {
		for use, c := range map[string]*task.Credentials{acs.RoleTaskApplication: keys[t.ARN].task, acs.RoleTaskExecution: keys[t.ARN].execution} {
			if c == nil || c.Expiration.Sub(now) < keysRenewedAt { // none, or not renewed
				continue
			}
			m := acs.Credentials{MessageID: newID(), TaskARN: t.ARN, TaskClusterARN: t.Spec.ClusterARN, RoleType: use, RoleCredentials: wireCredentials(c)}
			if err := s.send(ctx, acs.TypeCredentials, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func wireCredentials(c *task.Credentials) acs.RoleCredentials {
	return acs.RoleCredentials{
		CredentialsID: c.ID, RoleARN: c.RoleARN, AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		SessionToken: c.SessionToken, Expiration: c.Expiration.UTC().Format(time.RFC3339),
	}
}

// newID is a random UUID: message ids need to be unique, credentials ids
// unguessable too.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// logMode is the account's default for awslogs without a mode of its own.
func logMode(r store.Reader, t *task.Task) string {
	if s, ok := store.Settings.Get(r, store.SettingKey(t.Scope, "", "defaultLogDriverMode")); ok {
		return s.Value
	}
	return ""
}
