package attach

import (
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// say adds a line to the event log of a task's service.
func (l *look) say(tx *store.Tx, t *task.Task, words func(*service.Service) string) {
	have, ok := store.Services.Get(tx, service.ARNOf(t))
	if !ok || have.Status == service.Inactive {
		return
	}
	next := *have
	next.Sequence++
	next.Version++
	store.Services.Put(tx, &next)
	store.ServiceEvents.Put(tx, &service.Event{
		ServiceARN: have.ARN, Sequence: next.Sequence, ID: arn.UUID(l.NewID()), At: l.now, Message: words(have),
	})
}
