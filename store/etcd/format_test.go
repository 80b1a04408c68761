package etcd

import (
	"context"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func putCluster(s store.Store, arn string) error {
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{ARN: arn})
		return nil
	})
	return err
}

// A folder that a newer berth wrote is refused in words, not misread.
func TestNewerBerthWroteIt(t *testing.T) {
	known, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	withNewField, err := known.enc.Marshal(map[string]any{"ARN": "a", "Invented": 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, key, value, says string }{
		{"schema", recordPrefix + "cluster/a", "\x02\xa0", "has schema 2"},
		{"noun", recordPrefix + "dream/a", "\x01\xa0", `records of "dream"`},
		{"field", recordPrefix + "cluster/a", "\x01" + string(withNewField), "does not know"},
		{"format", formatKey, "2", "its format is 2"},
		{"damage", recordPrefix + "cluster/a", "\x01\xff", "cannot be read"},
		{"empty", recordPrefix + "cluster/a", "", "is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			if _, err := s.journal.client.Put(context.Background(), c.key, c.value); err != nil {
				t.Fatal(err)
			}
			s.Close()
			_, err := Open(context.Background(), Options{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestOlderSchemaIsUpgraded(t *testing.T) {
	records, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	type thing struct{ Name string }
	two := &store.Table[thing]{
		Noun: "thing", Schema: 2, Primary: func(x *thing) string { return x.Name },
		Upgrade: func(schema byte, data []byte) (*thing, error) {
			var old struct{ Title string }
			err := records.dec.Unmarshal(data, &old)
			return &thing{Name: old.Title}, err
		},
	}
	body, err := records.enc.Marshal(struct{ Title string }{"x"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := records.decode(two, append([]byte{1}, body...))
	if err != nil || got.(*thing).Name != "x" {
		t.Errorf("got %v, %v", got, err)
	}
}

// A second leader shuts the first one out: its batches no longer follow the head.
func TestOldLeaderIsFenced(t *testing.T) {
	s := open(t, t.TempDir())
	if err := putCluster(s, "a"); err != nil {
		t.Fatal(err)
	}
	other := &journal{client: s.journal.client, codec: s.journal.codec, room: s.journal.room, stop: func() {}}
	successor, err := store.Lead(context.Background(), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := putCluster(successor, "b"); err != nil {
		t.Fatal(err)
	}
	if err := putCluster(s, "c"); !fault.IsKind(err, fault.Unavailable) {
		t.Fatalf("the old leader's write: %v", err)
	}
	if err := putCluster(s, "d"); !fault.IsKind(err, fault.Unavailable) {
		t.Fatalf("the old leader leads again: %v", err)
	}
	if err := putCluster(successor, "e"); err != nil {
		t.Errorf("the new leader was disturbed: %v", err)
	}
	v := successor.View()
	for arn, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": true} {
		if _, got := store.Clusters.Get(v, arn); got != want {
			t.Errorf("%s: there %v, want %v", arn, got, want)
		}
	}
}

func TestHistoryIsDropped(t *testing.T) {
	s := open(t, t.TempDir())
	for range 20 {
		if err := putCluster(s, "a"); err != nil {
			t.Fatal(err)
		}
	}
	u := s.upkeep
	now := u.now()
	u.candidate = mark{now.at.Add(-historyKept), now.revision - 5, 0}
	u.compacted = mark{now.at.Add(-historyMax), 0, 0}
	u.compact()
	if u.compacted.revision != now.revision-5 {
		t.Fatalf("compacted to %d, want %d", u.compacted.revision, now.revision-5)
	}
	before := u.compacted
	u.compact() // nothing has changed: nothing to do
	if u.compacted != before {
		t.Error("compacted again without need")
	}
	if err := putCluster(s, "b"); err != nil {
		t.Errorf("writing after a compaction: %v", err)
	}
}
