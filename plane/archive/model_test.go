package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/telemetry"
)

// written is an event as the model keeps it: a plain list in order of ingestion.
type written struct {
	stream  string
	at      int64
	message string
}

// TestReadsAgreeWithASortedList puts random batches, out of order between batches,
// and reads them by pages of random sizes in both directions, whole and in windows.
func TestReadsAgreeWithASortedList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, c := fresh(t, Options{})
		base := c.millis.Load()
		var model []written
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			stream := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "stream")
			times := rapid.SliceOfN(rapid.Int64Range(0, 20), 1, 8).Draw(rt, "times")
			slices.Sort(times)
			var events []telemetry.Event
			for _, at := range times {
				w := written{stream: stream, at: base + at, message: fmt.Sprint("m", len(model))}
				model = append(model, w)
				events = append(events, telemetry.Event{Timestamp: w.at, Message: w.message})
			}
			_, err := a.Put(here, "g", stream, events, nil)
			must(t, err)
		}
		slices.SortStableFunc(model, func(x, y written) int { return cmp.Compare(x.at, y.at) })
		window := telemetry.Window{
			Start: base + rapid.Int64Range(-1, 20).Draw(rt, "start"),
			End:   base + rapid.Int64Range(0, 21).Draw(rt, "end"),
		}
		limit := rapid.IntRange(1, 7).Draw(rt, "limit")
		for _, stream := range []string{"a", "b", ""} {
			want := []string{}
			for _, w := range model {
				if w.at >= window.Start && w.at <= window.End && (stream == "" || w.stream == stream) {
					want = append(want, w.message)
				}
			}
			var reads map[string][]string
			if stream == "" {
				reads = map[string][]string{
					"scan":  searchPages(t, a, telemetry.SearchQuery{Window: window, Limit: limit}),
					"merge": searchPages(t, a, telemetry.SearchQuery{Window: window, Limit: limit, Streams: telemetry.StreamSet{Prefixes: []string{"a", "b"}}}),
				}
			} else {
				reads = map[string][]string{
					"forward":  readPages(t, a, stream, telemetry.ReadQuery{Window: window, Limit: limit, Forward: true}),
					"backward": readPages(t, a, stream, telemetry.ReadQuery{Window: window, Limit: limit}),
				}
			}
			for how, got := range reads {
				if !slices.Equal(got, want) {
					rt.Fatalf("%s of %q in %v by %d: got %s, want %s", how, stream, window, limit, strings.Join(got, " "), strings.Join(want, " "))
				}
			}
		}
	})
}

func readPages(t *testing.T, a *Archive, stream string, q telemetry.ReadQuery) []string {
	out := []string{}
	for {
		p, err := a.Read(here, "g", stream, q)
		must(t, err)
		if len(p.Records) == 0 {
			// The end: the gaps stay where they are, so that a token repeats.
			if q.From != nil && (p.Before != *q.From || p.After != *q.From) {
				t.Fatalf("the gap moved from %v to %v and %v", *q.From, p.Before, p.After)
			}
			return out
		}
		if q.Forward {
			out = append(out, messages(p.Records)...)
			q.From = &p.After
		} else {
			out = append(messages(p.Records), out...)
			q.From = &p.Before
		}
	}
}

func searchPages(t *testing.T, a *Archive, q telemetry.SearchQuery) []string {
	out := []string{}
	for {
		found, err := a.Search(context.Background(), here, "g", q)
		must(t, err)
		if len(found.Records) > q.Limit {
			t.Fatalf("a page of %d", len(found.Records))
		}
		out = append(out, messages(found.Records)...)
		if found.Next == nil {
			return out
		}
		q.From = found.Next
	}
}
