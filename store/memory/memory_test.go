package memory_test

import (
	"context"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func TestWriteReadWatch(t *testing.T) {
	st := memory.Open()
	before, w := st.Watch(store.Clusters.Topic())
	defer w.Close()
	v, err := st.Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{ARN: "a", Name: "one"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := store.Clusters.Get(v, "a"); !ok || c.Name != "one" {
		t.Fatalf("got %v %v", c, ok)
	}
	if store.Clusters.Len(before) != 0 || v.Revision() <= before.Revision() {
		t.Fatal("an old view changed")
	}
	<-w.Ready()
	d := w.Take()
	if _, c, ok := store.Clusters.Of(d.Events[0]); !ok || c.Name != "one" || d.View.Revision() != v.Revision() {
		t.Fatalf("got %+v", d)
	}
}
