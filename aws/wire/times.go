package wire

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// appendISO8601 writes UTC with milliseconds when there are any.
func appendISO8601(b []byte, t time.Time) []byte {
	t = t.UTC()
	if t.Nanosecond() < int(time.Millisecond) {
		return t.AppendFormat(b, "2006-01-02T15:04:05Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendUnix writes seconds since 1970 with at most three decimals.
func appendUnix(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(b, ms/1000, 10)
	}
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	frac := strconv.Itoa(1000 + int(ms%1000))[1:]
	return append(append(b, '.'), strings.TrimRight(frac, "0")...)
}

func appendTime(b []byte, t time.Time, f timeFormat) []byte {
	switch f {
	case timeISO8601:
		return appendISO8601(b, t)
	case timeHTTP:
		return append(b, t.UTC().Format(http.TimeFormat)...)
	}
	return appendUnix(b, t)
}

// parseUnix reads seconds, with or without decimals.
func parseUnix(s string) (time.Time, bool) {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(whole, 0).UTC(), inRange(float64(whole))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || !inRange(f) {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(math.Round(f * 1e6))).UTC(), true
}

// inRange keeps out seconds that no calendar writes in four digits of year.
func inRange(seconds float64) bool { return seconds > -6.3e10 && seconds < 2.6e11 }

// parseDate reads ISO 8601 and HTTP dates.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02", http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// parseTime reads a timestamp in whatever form a client chose.
func parseTime(s string) (time.Time, bool) {
	if t, ok := parseDate(s); ok {
		return t, true
	}
	return parseUnix(s)
}
