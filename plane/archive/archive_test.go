package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/telemetry/pattern"
)

var here = arn.Scope{Account: "000000000000", Region: "us-east-1"}

// clock is a time the test moves.
type clock struct{ millis atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.millis.Store(1_700_000_000_000)
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.millis.Load()) }
func (c *clock) advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }

func open(t testing.TB, dir string, c *clock, o Options) *Archive {
	t.Helper()
	o.Now = c.now
	if o.DiskUse == nil {
		o.DiskUse = func() float64 { return 0 }
	}
	a, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fresh is an empty archive with group g and streams a and b.
func fresh(t testing.TB, o Options) (*Archive, *clock) {
	t.Helper()
	c := newClock()
	a := open(t, t.TempDir(), c, o)
	t.Cleanup(func() { must(t, a.Close()) })
	must(t, a.CreateGroup(here, telemetry.Group{Name: "g", Class: telemetry.Standard}))
	must(t, a.CreateStream(here, "g", "a"))
	must(t, a.CreateStream(here, "g", "b"))
	return a, c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.IsKind(err, kind) {
		t.Errorf("got %v, want %v", err, kind)
	}
}

// put stores messages at the clock's time plus their index.
func put(t testing.TB, a *Archive, c *clock, stream string, messages ...string) {
	t.Helper()
	var events []telemetry.Event
	for i, m := range messages {
		events = append(events, telemetry.Event{Timestamp: c.millis.Load() + int64(i), Message: m})
	}
	rejected, err := a.Put(here, "g", stream, events, nil)
	must(t, err)
	if start, end := rejected.Accepted(); start != 0 || end != len(events) {
		t.Fatalf("rejected: %+v", rejected)
	}
}

func read(t testing.TB, a *Archive, stream string) []string {
	t.Helper()
	p, err := a.Read(here, "g", stream, telemetry.ReadQuery{Forward: true})
	must(t, err)
	return messages(p.Records)
}

func search(t testing.TB, a *Archive, q telemetry.SearchQuery) []string {
	t.Helper()
	found, err := a.Search(context.Background(), here, "g", q)
	must(t, err)
	return messages(found.Records)
}

func messages(records []telemetry.Record) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r.Message)
	}
	return out
}

func equal(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEventsComeBackInOrder(t *testing.T) {
	a, c := fresh(t, Options{})
	put(t, a, c, "a", "a1", "a2", "a3")
	put(t, a, c, "b", "b1", "b2")
	equal(t, read(t, a, "a"), []string{"a1", "a2", "a3"})
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{"a1", "b1", "a2", "b2", "a3"})
	equal(t, search(t, a, telemetry.SearchQuery{Streams: telemetry.StreamSet{Names: []string{"b", "a"}}}), []string{"a1", "b1", "a2", "b2", "a3"})
	equal(t, search(t, a, telemetry.SearchQuery{Streams: telemetry.StreamSet{Prefixes: []string{"b"}}}), []string{"b1", "b2"})
	equal(t, search(t, a, telemetry.SearchQuery{Streams: telemetry.StreamSet{Prefixes: []string{"zz"}}}), []string{})
	now := c.millis.Load()
	equal(t, search(t, a, telemetry.SearchQuery{Window: telemetry.Window{Start: now + 1, End: now + 1}}), []string{"a2", "b2"})
	p, err := pattern.Parse("?a1 ?b2")
	must(t, err)
	equal(t, search(t, a, telemetry.SearchQuery{Pattern: p}), []string{"a1", "b2"})
	_, err = a.Search(context.Background(), here, "g", telemetry.SearchQuery{Streams: telemetry.StreamSet{Names: []string{"none"}}})
	wantKind(t, err, fault.ResourceNotFound)
}

func TestAllSurvivesARestart(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	a := open(t, dir, c, Options{})
	must(t, a.CreateGroup(here, telemetry.Group{Name: "g", Class: telemetry.InfrequentAccess, Tags: map[string]string{"k": "v"}}))
	must(t, a.CreateStream(here, "g", "a"))
	put(t, a, c, "a", "one")
	before, err := a.Group(here, "g")
	must(t, err)
	must(t, a.Close())

	a = open(t, dir, c, Options{})
	defer a.Close()
	after, err := a.Group(here, "g")
	must(t, err)
	if fmt.Sprint(before) != fmt.Sprint(after) || after.StoredBytes != 29 || a.StoredBytes() != 29 {
		t.Errorf("%+v became %+v (%d stored)", before, after, a.StoredBytes())
	}
	put(t, a, c, "a", "two")
	equal(t, read(t, a, "a"), []string{"one", "two"})
}

func TestScopesAreApart(t *testing.T) {
	a, _ := fresh(t, Options{})
	other := arn.Scope{Account: here.Account, Region: "eu-west-1"}
	_, err := a.Group(other, "g")
	wantKind(t, err, fault.ResourceNotFound)
	must(t, a.CreateGroup(other, telemetry.Group{Name: "g"}))
	must(t, a.DeleteGroup(other, "g"))
	if _, err := a.Group(here, "g"); err != nil {
		t.Error(err)
	}
}

func TestGroups(t *testing.T) {
	a, _ := fresh(t, Options{})
	wantKind(t, a.CreateGroup(here, telemetry.Group{Name: "g"}), fault.ResourceAlreadyExists)
	wantKind(t, a.CreateGroup(here, telemetry.Group{Name: "aws/x"}), fault.InvalidParameter)
	wantKind(t, a.DeleteGroup(here, "none"), fault.ResourceNotFound)
	for _, name := range []string{"/ecs/b", "/ecs/a", "x"} {
		must(t, a.CreateGroup(here, telemetry.Group{Name: name, Class: telemetry.Standard}))
	}
	list := func(q telemetry.GroupQuery) (names []string) {
		groups, more, err := a.Groups(here, q)
		must(t, err)
		for _, g := range groups {
			names = append(names, g.Name)
		}
		if more {
			names = append(names, "...")
		}
		return names
	}
	equal(t, list(telemetry.GroupQuery{Limit: 50}), []string{"/ecs/a", "/ecs/b", "g", "x"})
	equal(t, list(telemetry.GroupQuery{Limit: 2}), []string{"/ecs/a", "/ecs/b", "..."})
	equal(t, list(telemetry.GroupQuery{Limit: 2, After: "/ecs/b"}), []string{"g", "x"})
	equal(t, list(telemetry.GroupQuery{Limit: 9, Prefix: "/ecs"}), []string{"/ecs/a", "/ecs/b"})
	equal(t, list(telemetry.GroupQuery{Limit: 9, Contains: "s/b"}), []string{"/ecs/b"})
	equal(t, list(telemetry.GroupQuery{Limit: 9, Class: telemetry.Delivery}), nil)

	must(t, a.ChangeGroup(here, "x", func(g *telemetry.Group) error {
		g.Protected, g.Name, g.Tags = true, "renamed", map[string]string{"k": "v"}
		return nil
	}))
	wantKind(t, a.DeleteGroup(here, "x"), fault.Validation)
	g, err := a.Group(here, "x")
	must(t, err)
	if !g.Protected || g.Tags["k"] != "v" || g.Name != "x" {
		t.Errorf("%+v", g)
	}
}

func TestStreams(t *testing.T) {
	a, c := fresh(t, Options{})
	wantKind(t, a.CreateStream(here, "g", "a"), fault.ResourceAlreadyExists)
	wantKind(t, a.CreateStream(here, "none", "a"), fault.ResourceNotFound)
	must(t, a.CreateStream(here, "g", "c"))
	put(t, a, c, "b", "first")
	c.advance(time.Second)
	put(t, a, c, "a", "second", "third")
	list := func(q telemetry.StreamQuery) (names []string) {
		for {
			page, next, err := a.Streams(here, "g", q)
			must(t, err)
			if len(page) > q.Limit {
				t.Fatalf("a page of %d", len(page))
			}
			for _, s := range page {
				names = append(names, s.Name)
			}
			if next == nil {
				return names
			}
			q.After = next
		}
	}
	for limit := 1; limit < 5; limit++ {
		equal(t, list(telemetry.StreamQuery{Limit: limit}), []string{"a", "b", "c"})
		equal(t, list(telemetry.StreamQuery{Limit: limit, Descending: true}), []string{"c", "b", "a"})
		equal(t, list(telemetry.StreamQuery{Limit: limit, ByTime: true}), []string{"c", "b", "a"})
		equal(t, list(telemetry.StreamQuery{Limit: limit, ByTime: true, Descending: true}), []string{"a", "b", "c"})
		equal(t, list(telemetry.StreamQuery{Limit: limit, Prefix: "b"}), []string{"b"})
	}
	page, _, err := a.Streams(here, "g", telemetry.StreamQuery{Limit: 1})
	must(t, err)
	want := telemetry.Stream{Name: "a", Created: c.millis.Load() - 1000, FirstEvent: c.millis.Load(), LastEvent: c.millis.Load() + 1, LastIngested: c.millis.Load()}
	if page[0] != want {
		t.Errorf("got %+v, want %+v", page[0], want)
	}
}

func TestADeletedStreamIsGoneAndItsNameFree(t *testing.T) {
	a, c := fresh(t, Options{})
	put(t, a, c, "a", "old")
	put(t, a, c, "b", "kept")
	must(t, a.DeleteStream(here, "g", "a"))
	wantKind(t, a.DeleteStream(here, "g", "a"), fault.ResourceNotFound)
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{"kept"})
	must(t, a.CreateStream(here, "g", "a"))
	equal(t, read(t, a, "a"), []string{})
	put(t, a, c, "a", "new")
	must(t, a.Sweep(context.Background()))
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{"kept", "new"})
	if a.StoredBytes() != int64(len("kept")+len("new")+2*26) {
		t.Errorf("%d bytes are stored", a.StoredBytes())
	}
}

func TestADeletedGroupLeavesNothing(t *testing.T) {
	a, c := fresh(t, Options{})
	put(t, a, c, "a", "x")
	must(t, a.DeleteGroup(here, "g"))
	_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: "m"}}, nil)
	wantKind(t, err, fault.ResourceNotFound)
	must(t, a.CreateGroup(here, telemetry.Group{Name: "g"}))
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{})
	_, err = a.Read(here, "g", "a", telemetry.ReadQuery{})
	wantKind(t, err, fault.ResourceNotFound)
	if a.StoredBytes() != 0 {
		t.Errorf("%d bytes are stored", a.StoredBytes())
	}
}

func TestRetention(t *testing.T) {
	a, c := fresh(t, Options{})
	must(t, a.ChangeGroup(here, "g", func(g *telemetry.Group) error { g.RetentionDays = 1; return nil }))
	put(t, a, c, "a", "old")
	put(t, a, c, "b", "old too")
	c.advance(20 * time.Hour)
	put(t, a, c, "a", "young")
	c.advance(5 * time.Hour)
	// Hidden at once, though no sweep has been.
	equal(t, read(t, a, "a"), []string{"young"})
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{"young"})
	c.advance(time.Hour)
	must(t, a.Sweep(context.Background()))
	must(t, a.ChangeGroup(here, "g", func(g *telemetry.Group) error { g.RetentionDays = 0; return nil }))
	equal(t, search(t, a, telemetry.SearchQuery{}), []string{"young"})
	if a.StoredBytes() != 31 {
		t.Errorf("%d bytes are stored", a.StoredBytes())
	}
	page, _, err := a.Streams(here, "g", telemetry.StreamQuery{Limit: 1})
	must(t, err)
	if first := c.millis.Load() - 6*3_600_000; page[0].FirstEvent != first {
		t.Errorf("the first event is at %d, want %d", page[0].FirstEvent, first)
	}
}

func TestTheQuotaDropsTheOldestHours(t *testing.T) {
	a, c := fresh(t, Options{Quota: 1000})
	long := strings.Repeat("x", 240-26)
	for i := range 4 {
		put(t, a, c, "a", fmt.Sprint(i)+long[1:])
		c.advance(time.Hour)
		must(t, a.Sweep(context.Background()))
	}
	if got := read(t, a, "a"); len(got) != 3 || got[0][0] != '1' {
		t.Errorf("%d events are left", len(got))
	}
	if _, bytes := a.Dropped(); bytes != 240 || a.StoredBytes() != 720 {
		t.Errorf("dropped %d, stored %d", bytes, a.StoredBytes())
	}
	// Beyond a tenth over the quota events wait.
	put(t, a, c, "a", strings.Repeat("y", 200))
	_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: long}}, nil)
	wantKind(t, err, fault.Unavailable)
	if refused, _ := a.Dropped(); refused != 1 {
		t.Errorf("%d were refused", refused)
	}
}

func TestTheQuotaRefuses(t *testing.T) {
	a, c := fresh(t, Options{Quota: 100, WhenFull: Refuse})
	put(t, a, c, "a", strings.Repeat("x", 74))
	_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: "m"}}, nil)
	wantKind(t, err, fault.Unavailable)
	must(t, a.DeleteStream(here, "g", "a"))
	must(t, a.Sweep(context.Background()))
	put(t, a, c, "b", "m")
}

func TestANearlyFullDiskRefusesEventsOnly(t *testing.T) {
	var used atomic.Bool
	a, c := fresh(t, Options{DiskUse: func() float64 {
		if used.Load() {
			return 0.91
		}
		return 0.5
	}})
	put(t, a, c, "a", "kept")
	used.Store(true)
	c.advance(2 * time.Second)
	_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: "m"}}, nil)
	wantKind(t, err, fault.Unavailable)
	must(t, a.CreateStream(here, "g", "c"))
	must(t, a.DeleteStream(here, "g", "b"))
	equal(t, read(t, a, "a"), []string{"kept"})
}

func TestABatchFromASourceIsStoredOnce(t *testing.T) {
	a, c := fresh(t, Options{})
	send := func(from, through int64, message string) error {
		_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: message}},
			&telemetry.Source{Producer: "p", From: from, Through: through})
		return err
	}
	must(t, send(0, 10, "one"))
	must(t, send(0, 10, "one"))
	must(t, send(10, 20, "two"))
	must(t, send(0, 20, "one again, and two"))
	err := send(15, 30, "overlap")
	wantKind(t, err, fault.DataAlreadyAccepted)
	if !strings.HasSuffix(err.Error(), "sequenceToken: berth-source/p/20/30") {
		t.Error(err)
	}
	must(t, send(20, 30, "three"))
	equal(t, read(t, a, "a"), []string{"one", "two", "three"})
	// Another stream knows nothing of this producer.
	_, err = a.Put(here, "g", "b", []telemetry.Event{{Timestamp: c.millis.Load(), Message: "b"}}, &telemetry.Source{Producer: "p", Through: 5})
	must(t, err)
	equal(t, read(t, a, "b"), []string{"b"})
}

func TestTails(t *testing.T) {
	a, c := fresh(t, Options{})
	must(t, a.CreateGroup(here, telemetry.Group{Name: "other"}))
	p, err := pattern.Parse("-debug")
	must(t, err)
	tail, err := a.Tail(here, telemetry.TailQuery{Groups: []string{"g", "other"}, Pattern: p})
	must(t, err)
	only, err := a.Tail(here, telemetry.TailQuery{Groups: []string{"g"}, Streams: telemetry.StreamSet{Prefixes: []string{"b"}}})
	must(t, err)
	put(t, a, c, "a", "one", "debug", "two")
	put(t, a, c, "b", "three")
	take := func(tail telemetry.Tail) (out []string) {
		records, lost := tail.Take()
		for _, r := range records {
			out = append(out, r.Group+"/"+r.Stream+" "+r.Message)
		}
		if lost {
			out = append(out, "lost")
		}
		return out
	}
	equal(t, take(tail), []string{"g/a one", "g/a two", "g/b three"})
	equal(t, take(only), []string{"g/b three"})
	equal(t, take(tail), nil)
	only.Close()
	put(t, a, c, "b", slices.Repeat([]string{"m"}, tailBuffer+1)...)
	equal(t, take(only), nil)
	if got := take(tail); got[len(got)-1] != "lost" || len(got) > tailBuffer+1 {
		t.Errorf("%d events, last %q", len(got), got[len(got)-1])
	}
	_, err = a.Tail(here, telemetry.TailQuery{Groups: []string{"none"}})
	wantKind(t, err, fault.ResourceNotFound)
}
