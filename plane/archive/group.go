package archive

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

// group is a log group in memory. Everything written under a group is written with
// its lock held, so that its events become visible in the order of their sequence.
type group struct {
	id    uint64
	scope arn.Scope

	mu      sync.Mutex
	info    telemetry.Group // Tags is never changed in place
	deleted bool
}

// snapshot copies the group's description.
func (g *group) snapshot() telemetry.Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.info
}

func (a *Archive) loadGroups() error {
	err := a.each([]byte{kindGroup}, nil, func(_, value []byte) error {
		id, scope, info, err := decodeGroup(value)
		if err != nil {
			return err
		}
		err = a.each(key(kindBytes, id), nil, func(_, value []byte) error {
			info.StoredBytes += int64(takeUint64(value))
			return nil
		})
		a.room.stored.Add(info.StoredBytes)
		a.put(&group{id: id, scope: scope, info: info})
		return err
	})
	return err
}

// put adds a group to the map; the caller holds the lock, or is alone.
func (a *Archive) put(g *group) {
	if a.groups[g.scope] == nil {
		a.groups[g.scope] = map[string]*group{}
	}
	a.groups[g.scope][g.info.Name] = g
}

// find looks a group up.
func (a *Archive) find(scope arn.Scope, name string) (*group, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if g := a.groups[scope][name]; g != nil {
		return g, nil
	}
	return nil, noGroup()
}

// CreateGroup adds a group; Created is set to now.
func (a *Archive) CreateGroup(scope arn.Scope, info telemetry.Group) error {
	if err := telemetry.CheckGroupName(info.Name); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.groups[scope][info.Name] != nil {
		return fault.New(fault.ResourceAlreadyExists, "The specified log group already exists")
	}
	id, err := a.ids.take(1)
	if err != nil {
		return err
	}
	info.Created, info.StoredBytes = a.millis(), 0
	info.Tags = maps.Clone(info.Tags)
	if err := a.db.Set(keyGroup(id), encodeGroup(id, scope, info), pebble.Sync); err != nil {
		return err
	}
	a.put(&group{id: id, scope: scope, info: info})
	return nil
}

// Group describes a group.
func (a *Archive) Group(scope arn.Scope, name string) (telemetry.Group, error) {
	g, err := a.find(scope, name)
	if err != nil {
		return telemetry.Group{}, err
	}
	return g.snapshot(), nil
}

// Groups lists groups; more tells that others follow.
func (a *Archive) Groups(scope arn.Scope, q telemetry.GroupQuery) (list []telemetry.Group, more bool, err error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(a.groups[scope])) {
		if name <= q.After || !strings.HasPrefix(name, q.Prefix) || !strings.Contains(name, q.Contains) {
			continue
		}
		info := a.groups[scope][name].snapshot()
		if q.Class != "" && q.Class != info.Class {
			continue
		}
		if len(list) == q.Limit {
			return list, true, nil
		}
		list = append(list, info)
	}
	return list, false, nil
}

// ChangeGroup applies change to a copy of the group's description and keeps the
// result. The name, the time of creation and the size stay.
func (a *Archive) ChangeGroup(scope arn.Scope, name string, change func(*telemetry.Group) error) error {
	g, err := a.find(scope, name)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return noGroup()
	}
	next := g.info
	next.Tags = maps.Clone(next.Tags)
	if err := change(&next); err != nil {
		return err
	}
	next.Name, next.Created, next.StoredBytes = g.info.Name, g.info.Created, g.info.StoredBytes
	if err := a.db.Set(keyGroup(g.id), encodeGroup(g.id, scope, next), pebble.Sync); err != nil {
		return err
	}
	g.info = next
	return nil
}

// DeleteGroup removes a group and all in it.
func (a *Archive) DeleteGroup(scope arn.Scope, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.groups[scope][name]
	if g == nil {
		return noGroup()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.info.Protected {
		return fault.New(fault.Validation, "The specified log group has deletion protection enabled.").
			WithHint("disable it with PutLogGroupDeletionProtection first")
	}
	batch := a.db.NewBatch()
	defer batch.Close()
	if err := batch.Delete(keyGroup(g.id), nil); err != nil {
		return err
	}
	for _, kind := range []byte(groupKinds) {
		prefix := key(kind, g.id)
		if err := batch.DeleteRange(prefix, after(prefix), nil); err != nil {
			return err
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return err
	}
	g.deleted = true
	a.room.stored.Add(-g.info.StoredBytes)
	delete(a.groups[scope], name)
	return nil
}

// each calls see for the keys that begin with the prefix, from the key from on
// (nil for the first), until see fails.
func (a *Archive) each(prefix, from []byte, see func(key, value []byte) error) error {
	it, err := a.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	if from == nil {
		from = prefix
	}
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = see(it.Key(), value)
		}
		if err != nil {
			it.Close()
			return err
		}
	}
	return it.Close()
}
