package attach_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/attach"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

	public = netip.MustParseAddr("203.0.113.4")
)

// An interface from the task's start to the end of its quarantine, confirmed by
// the agent or not.
func TestLifeOfAnInterface(t *testing.T) {
	for _, c := range []struct {
		name      string
		confirmed bool
		released  time.Duration // after the stop
	}{{"the agent confirms", true, 0}, {"the instance is gone", false, time.Hour}} {
		t.Run(c.name, func(t *testing.T) {
			s := memory.Open()
			loop := control.New(s, []plan.Planner{attach.Planner(attach.Options{})}, nil)
			put := func(change func(*task.Task)) {
				t.Helper()
				if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
					next := task.Task{ARN: "t", Attachments: []task.Attachment{{Status: "ATTACHING"}}, Assignment: &task.Assignment{}, Desired: task.Desired{Status: task.Running}}
					if have, ok := store.Tasks.Get(tx, "t"); ok {
						next = *have
					} else {
						store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-1", VPCID: "v", PrivateIP: netip.MustParseAddr("10.0.0.4"), PublicIP: public, TaskARN: "t"})
					}
					change(&next)
					store.Tasks.Put(tx, &next)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			expect := func(at time.Time, attachment string, held, leased bool) {
				t.Helper()
				if _, err := loop.Step(context.Background(), at); err != nil {
					t.Fatal(err)
				}
				v := s.View()
				x, _ := store.Tasks.Get(v, "t")
				i, ok := store.Interfaces.Get(v, network.Key(scope, "eni-1"))
				if free := lease.PublicIsFree(v, public); free != !held {
					t.Errorf("after %v: the public address is free: %v", at.Sub(began), free)
				}
				if x.AttachmentStatus(&x.Attachments[0]) != attachment || ok != leased || ok && i.ReleasedAt.IsZero() != held {
					t.Errorf("after %v: attachment %s, lease there %v: %+v", at.Sub(began), x.Attachments[0].Status, ok, i)
				}
			}
			put(func(x *task.Task) {})
			expect(began, "ATTACHING", true, true)
			put(func(x *task.Task) { x.Observed.Status, x.Observed.StartedAt = task.Running, began })
			expect(began, "ATTACHED", true, true)
			put(func(x *task.Task) { x.Desired = task.Desired{Status: task.Stopped, StoppingAt: began} })
			expect(began, "ATTACHED", true, true)
			put(func(x *task.Task) {
				x.Assignment = &task.Assignment{Released: true}
				if c.confirmed {
					x.Observed.Status, x.Observed.StoppedAt = task.Stopped, began
				}
			})
			if c.released > 0 {
				expect(began.Add(c.released-time.Second), "ATTACHED", true, true)
			}
			gone := began.Add(c.released)
			expect(gone, "DELETED", false, true)
			expect(gone.Add(119*time.Second), "DELETED", false, true)
			if again := loop.Status()[0].Again; !again.Equal(gone.Add(2 * time.Minute)) {
				t.Errorf("wants to look again %v after the release", again.Sub(gone))
			}
			expect(gone.Add(2*time.Minute), "DELETED", false, false)
		})
	}
}
