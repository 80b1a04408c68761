package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func pages(t *testing.T, open func() Store) {
	s := opened(t, open)
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	v := update(t, s, func(tx *store.Tx) {
		for n := range 120 {
			putTask(tx, fmt.Sprintf("t/%03d", n), 1)
			store.TaskDefinitions.Put(tx, &workload.Definition{
				Scope: scope, ARN: scope.TaskDefinition("f", n+1), Family: "f", Revision: n + 1,
			})
		}
		putTask(tx, "u", 1)
	})
	seen, last := 0, "t/"
	for more := true; more; {
		more = false
		n := 0
		for r := range store.Tasks.After(v, last) {
			if !strings.HasPrefix(r.ARN, "t/") {
				break
			}
			last, more = r.ARN, true
			seen++
			if n++; n == 50 {
				break
			}
		}
	}
	if seen != 120 {
		t.Errorf("pages hold %d of 120", seen)
	}
	n := 0
	for range store.Tasks.Prefix(v, "t/") {
		n++
	}
	if n != 120 {
		t.Errorf("the prefix has %d of 120", n)
	}
	revisions := func(each func(func(*workload.Definition) bool)) (out []int) {
		for d := range each {
			out = append(out, d.Revision)
		}
		return out
	}
	key := workload.FamilyKey(scope, "f")
	up := revisions(store.TaskDefinitions.By(v, store.TaskDefinitionsByFamily, key))
	down := revisions(store.TaskDefinitions.ByDescending(v, store.TaskDefinitionsByFamily, key))
	rest := revisions(store.TaskDefinitions.ByAfter(v, store.TaskDefinitionsByFamily, key,
		store.Position{Rank: 9, Key: scope.TaskDefinition("f", 9)}))
	if len(up) != 120 || !slices.IsSorted(up) || up[119] != 120 {
		t.Errorf("revisions are not in order: %v", up)
	}
	if slices.Reverse(down); !slices.Equal(up, down) {
		t.Errorf("descending is not the opposite: %v", down)
	}
	if !slices.Equal(rest, up[9:]) {
		t.Errorf("after revision 9 comes %v", rest)
	}
}

// taskModel is the table as anyone would write it first.
type taskModel map[string]*task.Task

func (m taskModel) by(key func(*task.Task) string, want string, rank func(*task.Task) int64) []string {
	var found []*task.Task
	for _, t := range m {
		if key(t) == want {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *task.Task) int {
		if rank != nil && rank(a) != rank(b) {
			if rank(a) < rank(b) {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ARN, b.ARN)
	})
	var out []string
	for _, t := range found {
		out = append(out, t.ARN)
	}
	return out
}

func randomTask(r *rapid.T) *task.Task {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(r, label) }
	t := &task.Task{
		ARN: pick("arn", "1", "2", "3", "4", "5", "6", "7"),
		Spec: task.Spec{
			ClusterARN: pick("cluster", "c", "d"), Group: pick("group", "", "g", "h"), StartedBy: pick("startedBy", "", "me"),
			DefinitionARN: pick("definition", "arn:aws:ecs:r:1:task-definition/f:1", "arn:aws:ecs:r:1:task-definition/f:2", "arn:aws:ecs:r:1:task-definition/g:1"),
		},
		Desired:  task.Desired{Status: rapid.SampledFrom([]task.Status{task.Running, task.Stopped}).Draw(r, "desired")},
		Observed: task.Observed{Status: rapid.SampledFrom([]task.Status{0, task.Pending, task.Running, task.Stopped}).Draw(r, "observed")},
	}
	if instance := pick("instance", "", "i", "j"); instance != "" {
		t.Assignment = &task.Assignment{InstanceARN: instance, Released: rapid.Bool().Draw(r, "released")}
	}
	t.Observed.StoppedAt = time.Unix(rapid.Int64Range(1, 4).Draw(r, "stoppedAt"), 0)
	return t
}

func indexesAgree(t *testing.T, open func() Store) {
	s := opened(t, open)
	rapid.Check(t, func(r *rapid.T) {
		update(t, s, func(tx *store.Tx) {
			for old := range store.Tasks.All(tx) {
				store.Tasks.Delete(tx, old.ARN)
			}
		})
		model := taskModel{}
		for range rapid.IntRange(1, 12).Draw(r, "transactions") {
			v, err := s.Update(context.Background(), func(tx *store.Tx) error {
				for range rapid.IntRange(0, 4).Draw(r, "changes") {
					if rec := randomTask(r); rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
						store.Tasks.Delete(tx, rec.ARN)
						delete(model, rec.ARN)
					} else {
						store.Tasks.Put(tx, rec)
						model[rec.ARN] = rec
					}
				}
				agree(r, tx, model)
				return nil
			})
			if err != nil {
				r.Fatal(err)
			}
			agree(r, v, model)
		}
	})
}

func agree(r *rapid.T, from store.Reader, model taskModel) {
	if store.Tasks.Len(from) != len(model) {
		r.Fatalf("%d records, want %d", store.Tasks.Len(from), len(model))
	}
	for i, ix := range store.Tasks.Indexes {
		for _, rec := range model {
			key := ix.Key(rec)
			if key == "" {
				continue
			}
			var got []string
			for f := range store.Tasks.By(from, ix, key) {
				if f != model[f.ARN] {
					r.Fatalf("index %d of %q yields an old record", i, key)
				}
				got = append(got, f.ARN)
			}
			if want := model.by(ix.Key, key, ix.Rank); !slices.Equal(got, want) {
				r.Fatalf("index %d of %q: %v, want %v", i, key, got, want)
			}
		}
	}
}

// Both offers, to test an index with several keys for one record.
func putInstance(tx *store.Tx, arn string, ec2, fargate bool) {
	store.Instances.Put(tx, &cluster.Instance{ARN: arn, OffersEC2: ec2, OffersFargate: fargate})
}
