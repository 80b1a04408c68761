package event

import (
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// Schedule is when a rule fires by itself: a rate, or a cron expression in UTC.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
type Schedule struct {
	every time.Duration // 0 for a cron expression
	cron  *cron
}

// maxRate keeps sums of rates within what a Duration holds.
const maxRate = 100 * 365 * 24 * time.Hour

// ParseSchedule reads rate(VALUE UNIT) or cron(FIELDS). What is wrong comes as a
// Validation fault.
func ParseSchedule(text string) (Schedule, error) {
	kind, inner, ok := strings.Cut(text, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if ok && closed {
		switch kind {
		case "rate":
			if every, ok := parseRate(inner); ok {
				return Schedule{every: every}, nil
			}
			return Schedule{}, badSchedule("write rate(5 minutes), rate(1 hour) or rate(7 days); the unit of 1 has no s, all others have")
		case "cron":
			c, hint := parseCron(inner)
			if c != nil {
				return Schedule{cron: c}, nil
			}
			return Schedule{}, badSchedule(hint)
		}
	}
	return Schedule{}, badSchedule("write rate(VALUE UNIT) or cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR)")
}

func badSchedule(hint string) error {
	return fault.New(fault.Validation, "Parameter ScheduleExpression is not valid.").WithHint("%s", hint)
}

func parseRate(text string) (time.Duration, bool) {
	value, unit, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n == 0 || value[0] == '+' {
		return 0, false
	}
	unit, many := strings.CutSuffix(unit, "s")
	if many != (n > 1) {
		return 0, false
	}
	length := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit]
	if length == 0 || time.Duration(n) > maxRate/length {
		return 0, false
	}
	return time.Duration(n) * length, true
}

// Next is the first moment of the schedule after a time; false when there is none.
// A rate counts from its start.
func (s Schedule) Next(start, after time.Time) (time.Time, bool) {
	if s.cron != nil {
		return s.cron.next(after)
	}
	if s.every == 0 {
		return time.Time{}, false
	}
	if after.Before(start) {
		return start.Add(s.every), true
	}
	return start.Add((after.Sub(start)/s.every + 1) * s.every), true
}

// Latest is the last moment of the schedule from first, which is one, to now; and
// the moment after it, zero when there is none.
func (s Schedule) Latest(start, first, now time.Time) (latest, next time.Time) {
	latest = first
	if s.every > 0 && now.After(first) {
		latest = first.Add(now.Sub(first) / s.every * s.every)
	}
	for {
		next, ok := s.Next(start, latest)
		if !ok {
			return latest, time.Time{}
		}
		if next.After(now) {
			return latest, next
		}
		latest = next
	}
}
