package lines

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/telemetry"
)

// cut feeds output in pieces and returns the events, joined at start.
func cut(pieces []string, start *regexp.Regexp) (events []Event) {
	var c Cutter
	j := Joiner{Start: start}
	emit := func(e Event) { events = append(events, e) }
	timeOf := func(offset int64) int64 { return 1000 + offset }
	for _, p := range pieces {
		c.Add([]byte(p), timeOf, func(e Event) { j.Add(e, emit) })
	}
	c.Flush(timeOf, func(e Event) { j.Add(e, emit) })
	j.Flush(emit)
	return events
}

func texts(events []Event) string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s@%d", e.Text, e.End))
	}
	return strings.Join(out, " | ")
}

func TestCutting(t *testing.T) {
	for _, c := range []struct {
		output []string
		want   string
	}{
		{[]string{"one\ntwo\n"}, "one@4 | two@8"},
		{[]string{"o", "ne\nt", "wo\n"}, "one@4 | two@8"},
		{[]string{"no end"}, "no end@6"},
		{[]string{"\n\na\n\n"}, "a@4"},
		{[]string{"kept\r\n"}, "kept\r@6"},
		{[]string{"bad \xff\xfe byte\n"}, "bad \uFFFD byte@12"},
		{nil, ""},
	} {
		if got := texts(cut(c.output, nil)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.output, got, c.want)
		}
	}
}

func TestALineWithoutEndIsCutBetweenRunes(t *testing.T) {
	events := cut([]string{strings.Repeat("é", maxLine), "\nnext\n"}, nil)
	var whole strings.Builder
	for _, e := range events[:len(events)-1] {
		if len(e.Text) > maxLine || !utf8.ValidString(e.Text) || strings.ContainsRune(e.Text, utf8.RuneError) {
			t.Fatalf("a piece of %d bytes", len(e.Text))
		}
		whole.WriteString(e.Text)
	}
	if whole.String() != strings.Repeat("é", maxLine) || events[len(events)-1].Text != "next" {
		t.Error("the pieces are not the line")
	}
}

func TestAnInvalidLineStillFitsAnEvent(t *testing.T) {
	for _, e := range cut([]string{strings.Repeat("\xff\x00", maxLine), "\n"}, nil) {
		if len(e.Text) > telemetry.MaxMessageBytes {
			t.Fatalf("an event of %d bytes", len(e.Text))
		}
	}
}

// However output comes in pieces, its events are the same, and together they are
// the output without its newlines.
func TestPiecesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.StringMatching(`[ab\n]{0,6}`)).Draw(t, "pieces")
		whole := strings.Join(pieces, "")
		got, want := cut(pieces, nil), cut([]string{whole}, nil)
		if texts(got) != texts(want) {
			t.Fatalf("%q: got %s, want %s", pieces, texts(got), texts(want))
		}
		var joined strings.Builder
		last := int64(0)
		for _, e := range got {
			joined.WriteString(e.Text)
			if e.End <= last || e.Time != 1000+e.End || !strings.HasSuffix(strings.TrimSuffix(whole[:e.End], "\n"), e.Text) {
				t.Fatalf("%q: %+v after %d", whole, e, last)
			}
			last = e.End
		}
		if joined.String() != strings.ReplaceAll(whole, "\n", "") {
			t.Fatalf("%q became %q", whole, joined.String())
		}
	})
}

// A cutter that begins anew at the end of any event goes on as the first would have.
func TestCuttingGoesOnFromAnyEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.StringMatching(`[ab\n]{1,40}`).Draw(t, "output")
		all := cut([]string{whole}, nil)
		if len(all) == 0 {
			return
		}
		at := rapid.IntRange(0, len(all)-1).Draw(t, "event")
		var c Cutter
		c.SeekTo(all[at].End)
		var rest []Event
		timeOf := func(offset int64) int64 { return 1000 + offset }
		c.Add([]byte(whole[all[at].End:]), timeOf, func(e Event) { rest = append(rest, e) })
		c.Flush(timeOf, func(e Event) { rest = append(rest, e) })
		if texts(rest) != texts(all[at+1:]) {
			t.Fatalf("%q from %d: got %s, want %s", whole, all[at].End, texts(rest), texts(all[at+1:]))
		}
	})
}

func TestJoining(t *testing.T) {
	start := regexp.MustCompile(`^(INFO|ERROR)`)
	for _, c := range []struct{ output, want string }{
		{"INFO a\nERROR b\n at x\n at y\nINFO c\n", "INFO a@7 | ERROR b\n at x\n at y@27 | INFO c@34"},
		{"loose\nINFO a\n", "loose@6 | INFO a@13"},
	} {
		if got := texts(cut([]string{c.output}, start)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.output, got, c.want)
		}
	}
	long := strings.Repeat("x", maxLine/2)
	events := cut([]string{"INFO\n" + long + "\n" + long + "\n" + long + "\n"}, start)
	for _, e := range events {
		if len(e.Text) > maxLine {
			t.Errorf("a joined event of %d bytes", len(e.Text))
		}
	}
	if events[0].Time != 1005 || len(events) != 3 {
		t.Errorf("%d events, the first at %d", len(events), events[0].Time)
	}
}

func TestBatches(t *testing.T) {
	var b Batch
	b.Restart(7)
	add := func(e Event) bool {
		if !b.Fits(e) {
			return false
		}
		b.Add(e)
		return true
	}
	if !add(Event{Text: "a", Time: 10, End: 9}) || add(Event{Text: "b", Time: 9, End: 11}) {
		t.Error("a batch is in order of time")
	}
	if add(Event{Text: "b", Time: 11 + maxSpan, End: 11}) || !add(Event{Text: "b", Time: 10 + maxSpan, End: 11}) {
		t.Error("a batch spans a day")
	}
	if b.From != 7 || b.Through != 11 || len(b.Events) != 2 {
		t.Errorf("%+v", b)
	}
	b.Restart(11)
	for add(Event{Text: "x", Time: 1, End: b.Through + 2}) {
	}
	if len(b.Events) != telemetry.MaxBatchEvents {
		t.Errorf("%d events fit", len(b.Events))
	}
	b.Restart(0)
	big := strings.Repeat("x", 1000-telemetry.EventOverhead)
	for add(Event{Text: big, Time: 1, End: b.Through + 1000}) {
	}
	if b.Through != telemetry.MaxBatchBytes/1000*1000 {
		t.Errorf("%d bytes fit", b.Through)
	}
}

func TestDatetimeFormats(t *testing.T) {
	for _, c := range []struct {
		format, takes, leaves string
	}{
		{"[%b %d, %Y %H:%M:%S]", "[May 01, 2017 19:00:01] A message", " at frame"},
		{`\[%b %d, %Y %H:%M:%S\]`, "[May 01, 2017 19:00:01] A message", "May 01, 2017 19:00:01"},
		{`^%H:%M\.(x|y)`, "19:00.y", " 19:00.y"},
		{"%Y-%m-%d %H:%M:%S,%L", "2024-01-31 23:59:59,123 x", "2024-01-31 x"},
		{"%Y-%m-%dT%H:%M:%S.%f%z", "2024-01-31T23:59:59.123456+0100", "2024"},
		{"%A %e. %B %I %p %j %y 100%%", "Friday  7. January 11 AM 031 24 100%", "Friday"},
	} {
		re, err := DatetimeStart(c.format)
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		if !re.MatchString(c.takes) || re.MatchString(c.leaves) {
			t.Errorf("%s became %s", c.format, re)
		}
	}
	for _, bad := range []string{"%", "%Q", `%Y\`, "(%Y"} {
		if re, err := DatetimeStart(bad); err == nil {
			t.Errorf("%s became %s", bad, re)
		}
	}
}

func BenchmarkCut(b *testing.B) {
	line := []byte(strings.Repeat("x", 99) + "\n")
	chunk := []byte(strings.Repeat(string(line), 1000))
	var c Cutter
	b.SetBytes(int64(len(line)))
	for n := 0; n < b.N; n += 1000 {
		c.Add(chunk, func(int64) int64 { return 1 }, func(Event) {})
	}
}
