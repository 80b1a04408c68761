package event

import (
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSchedules(t *testing.T) {
	const start = "2026-01-01 00:00:30"
	for _, c := range []struct{ schedule, after, want string }{
		{"rate(1 minute)", start, "2026-01-01 00:01:30"},
		{"rate(5 minutes)", "2026-01-01 00:05:30", "2026-01-01 00:10:30"},
		{"rate(5 minutes)", "2026-01-01 00:05:29", "2026-01-01 00:05:30"},
		{"rate(1 hour)", "2026-01-01 07:10:00", "2026-01-01 08:00:30"},
		{"rate(7 days)", start, "2026-01-08 00:00:30"},
		{"rate(1 day)", "2025-12-01 00:00:00", "2026-01-02 00:00:30"},

		{"cron(0 10 * * ? *)", "2026-01-01 10:00:00", "2026-01-02 10:00:00"},
		{"cron(0 10 * * ? *)", "2026-01-01 09:59:59", "2026-01-01 10:00:00"},
		{"cron(15 12 * * ? *)", start, "2026-01-01 12:15:00"},
		{"cron(0 18 ? * MON-FRI *)", "2026-01-02 18:00:00", "2026-01-05 18:00:00"}, // Friday to Monday
		{"cron(0 8 1 * ? *)", "2026-01-01 08:00:00", "2026-02-01 08:00:00"},
		{"cron(0/15 * * * ? *)", "2026-01-01 00:46:00", "2026-01-01 01:00:00"},
		{"cron(*/20 * * * ? *)", "2026-01-01 00:20:00", "2026-01-01 00:40:00"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "2026-01-01 17:55:00", "2026-01-02 08:00:00"},
		{"cron(5,35 14 * * ? *)", "2026-01-01 14:05:00", "2026-01-01 14:35:00"},
		{"cron(0 0 L * ? *)", "2026-02-01 00:00:00", "2026-02-28 00:00:00"},
		{"cron(0 0 L * ? *)", "2028-02-01 00:00:00", "2028-02-29 00:00:00"},
		{"cron(0 0 29 2 ? *)", "2026-01-01 00:00:00", "2028-02-29 00:00:00"},
		{"cron(0 0 31 * ? *)", "2026-01-31 00:00:00", "2026-03-31 00:00:00"},
		{"cron(0 0 3W * ? *)", "2026-01-01 00:00:00", "2026-01-02 00:00:00"},  // Saturday the 3rd
		{"cron(0 0 1W * ? *)", "2026-07-31 00:00:00", "2026-08-03 00:00:00"},  // Saturday the 1st: not in July
		{"cron(0 0 31W * ? *)", "2026-05-01 00:00:00", "2026-05-29 00:00:00"}, // Sunday the 31st: not in June
		{"cron(0 0 LW * ? *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00"},
		{"cron(0 0 ? * L *)", "2026-01-01 00:00:00", "2026-01-03 00:00:00"},
		{"cron(0 0 ? * 6L *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00"},
		{"cron(0 0 ? * FRIL *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00"},
		{"cron(0 10 ? * 6#3 *)", "2026-01-01 00:00:00", "2026-01-16 10:00:00"},
		{"cron(0 10 ? * TUE#5 *)", "2026-01-01 00:00:00", "2026-03-31 10:00:00"},
		{"cron(0 0 1 JAN,jul ? *)", "2026-01-01 00:00:00", "2026-07-01 00:00:00"},
		{"cron(0 0 1 1/6 ? *)", "2026-01-01 00:00:00", "2026-07-01 00:00:00"},
		{"cron(0 0 1 1 ? 2030)", "2026-01-01 00:00:00", "2030-01-01 00:00:00"},
		{"cron(0 0 1 1 ? 2026-2030/2)", "2026-01-01 00:00:00", "2028-01-01 00:00:00"},
		{"cron(59 23 31 12 ? 2199)", "2026-01-01 00:00:00", "2199-12-31 23:59:00"},
		{"cron(0 0 1 1 ? 2020)", "2026-01-01 00:00:00", ""},
		{"cron(0 0 30 2 ? *)", "2026-01-01 00:00:00", ""},
	} {
		s, err := ParseSchedule(c.schedule)
		if err != nil {
			t.Errorf("%s: %v", c.schedule, err)
			continue
		}
		next, ok := s.Next(moment(t, start), moment(t, c.after))
		got := ""
		if ok {
			got = next.Format("2006-01-02 15:04:05")
		}
		if got != c.want {
			t.Errorf("%s after %s: %q, want %q", c.schedule, c.after, got, c.want)
		}
	}
}

func TestBadSchedules(t *testing.T) {
	for _, text := range []string{
		"", "rate", "rate(5 minutes", "rate()", "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(-1 minutes)", "rate(+2 minutes)", "rate(1.5 hours)",
		"rate(5 seconds)", "rate(5  minutes)", "rate(99999999 days)", "at(2026-01-01T00:00:00)", "cron(0 10 * * ?)", "cron(0 10 * * * *)", "cron(0 10 ? * ? *)",
		"cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 0 *)",
		"cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)", "cron(5-1 0 * * ? *)", "cron(0/0 0 * * ? *)", "cron(1,,2 0 * * ? *)", "cron(x 0 * * ? *)",
		"cron(0 0 W * ? *)", "cron(0 0 ? * 2#6 *)", "cron(0 0 ? * #1 *)", "cron(0 0 ? * XXXL *)", "cron(0 0 ? * JAN *)", "cron(0 0 1 MON ? *)",
	} {
		if _, err := ParseSchedule(text); !fault.IsKind(err, fault.Validation) || !strings.HasPrefix(err.Error(), "Parameter ScheduleExpression is not valid. (hint: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMissedFiringsAreOne(t *testing.T) {
	start := moment(t, "2026-01-01 00:00:00")
	for _, c := range []struct{ schedule, first, now, latest, next string }{
		{"rate(1 minute)", "2026-01-01 00:01:00", "2026-01-01 00:01:00", "2026-01-01 00:01:00", "2026-01-01 00:02:00"},
		{"rate(1 minute)", "2026-01-01 00:01:00", "2026-06-01 03:04:59", "2026-06-01 03:04:00", "2026-06-01 03:05:00"},
		{"cron(0 10 * * ? *)", "2026-01-01 10:00:00", "2026-01-04 09:00:00", "2026-01-03 10:00:00", "2026-01-04 10:00:00"},
	} {
		s, err := ParseSchedule(c.schedule)
		if err != nil {
			t.Fatal(err)
		}
		latest, next := s.Latest(start, moment(t, c.first), moment(t, c.now))
		if !latest.Equal(moment(t, c.latest)) || !next.Equal(moment(t, c.next)) {
			t.Errorf("%s at %s: %v then %v", c.schedule, c.now, latest, next)
		}
	}
	last, _ := ParseSchedule("cron(0 0 1 1 ? 2026)")
	if latest, next := last.Latest(start, start, start.AddDate(1, 0, 0)); !latest.Equal(start) || !next.IsZero() {
		t.Errorf("a schedule that ends: %v then %v", latest, next)
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{"rate(5 minutes)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(0 0 L,15W 1/2 ? 2026-2030)", "cron(1,2 3 ? JAN 2#5,6L 2199)"} {
		f.Add(text)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			return
		}
		if next, ok := s.Next(start, start); ok && !next.After(start) {
			t.Errorf("%s after %v is %v", text, start, next)
		}
	})
}
