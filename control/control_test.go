package control_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func put(t *testing.T, s store.Store, arn, name string) {
	t.Helper()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{ARN: arn, Name: name})
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func name(r store.Reader, arn string) string {
	if c, ok := store.Clusters.Get(r, arn); ok {
		return c.Name
	}
	return ""
}

// greeter is a planner that names each cluster without a name, and looks once
// more a minute after it did.
func greeter(looks *[]time.Time) plan.Planner {
	return plan.Planner{
		Name: "greeter", Wakes: []store.Descriptor{store.Clusters},
		Look: func(v *store.View, now time.Time) (d plan.Decision) {
			*looks = append(*looks, now)
			for c := range store.Clusters.All(v) {
				if c.Name != "" {
					continue
				}
				d.Again = now.Add(time.Minute)
				d.Changes = append(d.Changes, plan.Change{Subject: c.ARN, Says: "name", Apply: func(tx *store.Tx) error {
					store.Clusters.Put(tx, &cluster.Cluster{ARN: c.ARN, Name: "hello"})
					return nil
				}})
			}
			return d
		},
	}
}

func TestRunWakesByChangesAndByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.Open()
		var looks []time.Time
		c := control.New(s, []plan.Planner{greeter(&looks)}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx, time.Now) }()
		synctest.Wait()
		if len(looks) != 1 {
			t.Fatalf("%d looks at the start", len(looks))
		}
		start := time.Now()
		put(t, s, "a", "")
		synctest.Wait()
		if name(s.View(), "a") != "hello" || time.Since(start) != 0 {
			t.Errorf("named %q after %v", name(s.View(), "a"), time.Since(start))
		}
		seen := len(looks)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if len(looks) != seen {
			t.Errorf("%d looks though nothing happened", len(looks)-seen)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(looks) != seen+1 {
			t.Errorf("%d looks by the tick", len(looks)-seen)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAPlannerIsHeardWhenItAskedToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := time.Now().Add(3 * time.Second)
		var looks []time.Time
		c := control.New(memory.Open(), []plan.Planner{{Name: "patient", Look: func(_ *store.View, now time.Time) (d plan.Decision) {
			looks = append(looks, now)
			if now.Before(asked) {
				d.Again = asked
			}
			return d
		}}}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = c.Run(ctx, time.Now) }()
		time.Sleep(5 * time.Second)
		cancel()
		synctest.Wait()
		if len(looks) != 2 || !looks[1].Equal(asked) {
			t.Errorf("looked at %v, asked for %v", looks, asked)
		}
	})
}

func TestStepKeepsTheGoodChangesAndSaysTheRest(t *testing.T) {
	s := memory.Open()
	broken := errors.New("broken")
	change := func(key string, end error) plan.Change {
		return plan.Change{Subject: key, Says: "try", Apply: func(tx *store.Tx) error {
			store.Clusters.Put(tx, &cluster.Cluster{ARN: key, Name: "made"})
			return end
		}}
	}
	var changes []plan.Change
	for n := range 250 {
		changes = append(changes, change(fmt.Sprint("good", n), nil))
	}
	changes = append(changes, change("stale", plan.ErrStale), change("bad", broken), change("last", nil))
	c := control.New(s, []plan.Planner{{Name: "busy", Look: func(*store.View, time.Time) plan.Decision {
		return plan.Decision{Changes: changes, Troubles: []plan.Trouble{{Subject: "x", Reason: "No room."}}}
	}}}, nil)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	again, err := c.Step(context.Background(), now)
	if !errors.Is(err, broken) || !again.After(now) {
		t.Errorf("err %v, again %v", err, again)
	}
	v := s.View()
	if store.Clusters.Len(v) != 251 || name(v, "last") != "made" || name(v, "stale")+name(v, "bad") != "" {
		t.Errorf("%d clusters, %q %q", store.Clusters.Len(v), name(v, "stale"), name(v, "bad"))
	}
	st := c.Status()[0]
	if st.Planner != "busy" || st.Looks != 1 || st.Made != 251 || st.Stale != 1 || st.Error != "bad: try: broken" || len(st.Troubles) != 1 || !st.LastLook.Equal(now) {
		t.Errorf("status %+v", st)
	}
}
