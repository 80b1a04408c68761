package bus_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// BenchmarkPublish matches an event against a hundred rules, none of which chooses
// it.
func BenchmarkPublish(b *testing.B) {
	st := memory.Open()
	_, err := st.Update(b.Context(), func(tx *store.Tx) error {
		for i := range 100 {
			store.Rules.Put(tx, &event.Rule{
				Scope: scope, Bus: event.DefaultBus, Name: fmt.Sprint(i),
				Pattern: fmt.Sprintf(`{"source": ["aws.ecs"], "detail": {"group": ["service:%d"], "lastStatus": ["STOPPED"]}}`, i),
			})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	carrier := bus.New(bus.Config{Store: st})
	e := event.Event{
		Bus: event.DefaultBus, ID: "1", Source: event.ECSSource, DetailType: event.TaskStateChange, Scope: scope, Time: time.Now(),
		Detail: []byte(`{"group": "service:web", "lastStatus": "STOPPED", "containers": [{"name": "app", "exitCode": 0}, {"name": "side", "exitCode": 1}]}`),
	}
	for b.Loop() {
		carrier.Publish(e)
	}
	if s := carrier.Stats(); s != (bus.Stats{}) {
		b.Fatalf("%+v", s)
	}
}
