package event

import (
	"strconv"
	"strings"
)

// Names of months and days, in order.
const (
	monthNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
	dayNames   = "SUNMONTUEWEDTHUFRISAT"
)

// parseCron reads the six fields. When they cannot be read it says how to write
// them.
func parseCron(text string) (c *cron, hint string) {
	f := strings.Fields(text)
	if len(f) != 6 {
		return nil, "a cron expression has six fields: minutes hours day-of-month month day-of-week year"
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, "exactly one of day-of-month and day-of-week is ?"
	}
	c = &cron{byWeek: f[2] == "?"}
	ok := [6]bool{2: true, 4: true}
	c.minutes, ok[0] = parseSet(f[0], 0, 59, "")
	c.hours, ok[1] = parseSet(f[1], 0, 23, "")
	c.months, ok[3] = parseSet(f[3], 1, 12, monthNames)
	c.years, ok[5] = parseYears(f[5])
	if c.byWeek {
		ok[4] = c.week.parse(f[4])
	} else {
		ok[2] = c.month.parse(f[2])
	}
	for i, name := range [6]string{
		"minutes (0-59)", "hours (0-23)", "day-of-month (1-31, L, nW)", "month (1-12 or JAN-DEC)", "day-of-week (1-7 or SUN-SAT, nL, n#m)", "year (1970-2199)",
	} {
		if !ok[i] {
			return nil, "cannot read the field " + name + ": " + f[i]
		}
	}
	return c, ""
}

// span is a part of a field: from, from-to, with /step.
type span struct{ from, to, step int }

// parseSpan reads a part of a list. A start with a step goes on to the maximum.
func parseSpan(text string, low, high int, names string) (s span, ok bool) {
	text, stepText, stepped := strings.Cut(text, "/")
	s = span{low, high, 1}
	if stepped {
		if s.step, ok = parseValue(stepText, 1, high, ""); !ok {
			return s, false
		}
	}
	if text == "*" {
		return s, true
	}
	from, to, ranged := strings.Cut(text, "-")
	if s.from, ok = parseValue(from, low, high, names); !ok {
		return s, false
	}
	switch {
	case ranged:
		s.to, ok = parseValue(to, low, high, names)
	case !stepped:
		s.to = s.from
	}
	return s, ok && s.from <= s.to
}

func parseValue(text string, low, high int, names string) (n int, ok bool) {
	if i := strings.Index(names, strings.ToUpper(text)); len(text) == 3 && i >= 0 && i%3 == 0 {
		return i/3 + 1, true
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

func parseSet(text string, low, high int, names string) (set uint64, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		s, ok := parseSpan(part, low, high, names)
		if !ok {
			return 0, false
		}
		for n := s.from; n <= s.to; n += s.step {
			set |= 1 << n
		}
	}
	return set, true
}

func parseYears(text string) (years map[int]bool, ok bool) {
	if text == "*" {
		return nil, true
	}
	years = map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		s, ok := parseSpan(part, firstYear, lastYear, "")
		if !ok {
			return nil, false
		}
		for n := s.from; n <= s.to; n += s.step {
			years[n] = true
		}
	}
	return years, true
}

func (d *monthDays) parse(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		switch day, nearest := strings.CutSuffix(part, "W"); {
		case part == "L":
			d.last = true
		case part == "LW":
			d.lastWeekday = true
		case nearest:
			n, ok := parseValue(day, 1, 31, "")
			if !ok {
				return false
			}
			d.nearest = append(d.nearest, n)
		default:
			set, ok := parseSet(part, 1, 31, "")
			if !ok {
				return false
			}
			d.set |= set
		}
	}
	return true
}

func (d *weekDays) parse(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		if part == "L" { // the last day of the week
			d.set |= 1 << 7
			continue
		}
		if day, last := strings.CutSuffix(part, "L"); last {
			n, ok := parseValue(day, 1, 7, dayNames)
			if !ok {
				return false
			}
			d.last |= 1 << n
			continue
		}
		if day, nth, numbered := strings.Cut(part, "#"); numbered {
			n, ok := parseValue(day, 1, 7, dayNames)
			m, ok2 := parseValue(nth, 1, 5, "")
			if !ok || !ok2 {
				return false
			}
			d.nth = append(d.nth, nthOfDay{n, m})
			continue
		}
		set, ok := parseSet(part, 1, 7, dayNames)
		if !ok {
			return false
		}
		d.set |= set
	}
	return true
}
