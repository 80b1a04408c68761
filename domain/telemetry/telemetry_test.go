package telemetry

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

func TestPositionsSortAsTheirIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Position {
			return Position{
				Timestamp: rapid.Int64Range(0, 1<<62).Draw(t, label+".time"),
				Sequence:  rapid.Uint64().Draw(t, label+".sequence"),
			}
		}
		a, b := draw("a"), draw("b")
		if got := strings.Compare(a.String(), b.String()); got != a.Compare(b) {
			t.Fatalf("%v and %v: ids compare %d, positions %d", a, b, got, a.Compare(b))
		}
		if back, err := ParsePosition(a.String()); err != nil || back != a {
			t.Fatalf("%v read back as %v, %v", a, back, err)
		}
		if a.Next().Compare(a) != 1 || len(a.String()) != 56 {
			t.Fatalf("%v: next is %v", a, a.Next())
		}
	})
	for _, bad := range []string{"", "1", strings.Repeat("x", 56), "-" + strings.Repeat("1", 55), strings.Repeat("9", 56)} {
		if p, err := ParsePosition(bad); err == nil {
			t.Errorf("%q read as %v", bad, p)
		}
	}
}

func TestGroupIdentifiers(t *testing.T) {
	here := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	for _, c := range []struct {
		identifier, name string
		kind             fault.Kind
	}{
		{identifier: "/ecs/app", name: "/ecs/app"},
		{identifier: GroupARN(here, "/ecs/app"), name: "/ecs/app"},
		{identifier: GroupARN(here, "a") + ":*", name: "a"},
		{identifier: GroupARN(arn.Scope{Account: "111111111111", Region: "us-east-1"}, "a"), kind: fault.ResourceNotFound},
		{identifier: "arn:aws:s3:us-east-1:000000000000:log-group:a", kind: fault.InvalidParameter},
		{identifier: "arn:nonsense", kind: fault.InvalidParameter},
	} {
		name, err := GroupName(here, c.identifier)
		if name != c.name || (err != nil) != (c.kind != 0) || err != nil && !fault.IsKind(err, c.kind) {
			t.Errorf("%s: got %q, %v", c.identifier, name, err)
		}
	}
	if got := StreamARN(here, "/ecs/app", "web/1"); got != "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app:log-stream:web/1" {
		t.Error(got)
	}
}

func TestBatches(t *testing.T) {
	const now = 1_700_000_000_000
	at := func(times ...int64) (events []Event) {
		for _, ts := range times {
			events = append(events, Event{Timestamp: now + ts, Message: "m"})
		}
		return events
	}
	for name, c := range map[string]struct {
		events    []Event
		retention int
		want      Rejection
	}{
		"all taken":     {events: at(-1, 0, 0, 1), want: Rejection{TooNew: 4}},
		"too new":       {events: at(0, newest, newest+1, newest+2), want: Rejection{TooNew: 2}},
		"too old":       {events: at(-oldest-2, -oldest-1, -oldest), want: Rejection{TooOld: 2, TooNew: 3}},
		"expired":       {events: at(-day-1, -day, 0), retention: 1, want: Rejection{Expired: 1, TooNew: 3}},
		"all too old":   {events: at(-20*day, -20*day), want: Rejection{TooOld: 2, TooNew: 2}},
		"both ends":     {events: at(-20*day, 0, 3*hour), want: Rejection{TooOld: 1, TooNew: 2}},
		"only taken":    {events: at(-20*day, -hour, 0), want: Rejection{TooOld: 1, TooNew: 3}},
		"a whole day":   {events: at(-day, 0), want: Rejection{TooNew: 2}},
		"all of 10,000": {events: make10k(now), want: Rejection{TooNew: MaxBatchEvents}},
	} {
		got, err := CheckBatch(c.events, now, c.retention)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, c.want)
		}
	}
	big := strings.Repeat("x", MaxMessageBytes)
	for message, events := range map[string][]Event{
		"Log events in a single PutLogEvents request must be in chronological order.":                  at(1, 0),
		"The batch of log events in a single PutLogEvents request cannot span more than 24 hours.":     at(-day-1, 0),
		"Log event too large: 1048577 bytes exceeds limit of 1048576":                                  {{Timestamp: now, Message: big + "x"}},
		"Upload too large: 1048603 bytes exceeds limit of 1048576":                                     {{Timestamp: now, Message: big}, {Timestamp: now, Message: "y"}},
		"at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to":   append(make10k(now), at(0)...),
		"at 'logEvents.2.member.message' failed to satisfy constraint: Member must have length greate": append(at(0), Event{Timestamp: now}),
	} {
		if _, err := CheckBatch(events, now, 0); !fault.IsKind(err, fault.InvalidParameter) || !strings.Contains(err.Error(), message) {
			t.Errorf("got %v, want %s", err, message)
		}
	}
	if _, err := CheckBatch([]Event{{Timestamp: now, Message: big}}, now, 0); err != nil {
		t.Errorf("the largest event is refused: %v", err)
	}
}

func make10k(now int64) []Event {
	return slices.Repeat([]Event{{Timestamp: now, Message: "m"}}, MaxBatchEvents)
}

func TestRetention(t *testing.T) {
	if err := CheckRetention(30); err != nil {
		t.Error(err)
	}
	if err := CheckRetention(2); !fault.IsKind(err, fault.InvalidParameter) {
		t.Errorf("2 days: %v", err)
	}
	if ExpiryOf(0, 5*day) != 0 || ExpiryOf(1, 5*day) != 4*day || ExpiryOf(30, 5*day) != 0 {
		t.Error("expiry")
	}
}

func TestSources(t *testing.T) {
	s := Source{Producer: "p1", From: 5, Through: 9}
	if back, ok := ParseSource(s.Token()); !ok || back != s {
		t.Errorf("%v, %v", back, ok)
	}
	for _, token := range []string{"", "49590302953556", "berth-source/p/5/5", "berth-source//1/2", "berth-source/p/-1/2", "berth-source/p/1", "berth-source/p/1/x"} {
		if s, ok := ParseSource(token); ok {
			t.Errorf("%q read as %v", token, s)
		}
	}
}
