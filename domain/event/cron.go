package event

import (
	"math/bits"
	"time"
)

const (
	firstYear = 1970
	lastYear  = 2199
)

// cron is a parsed cron expression. A set has the bit n for the value n.
type cron struct {
	minutes, hours, months uint64
	years                  map[int]bool // nil for every year
	month                  monthDays    // where the day of the week is ?
	week                   weekDays     // where the day of the month is ?
	byWeek                 bool
}

// monthDays are days of a month.
type monthDays struct {
	set         uint64
	last        bool  // L
	lastWeekday bool  // LW
	nearest     []int // nW: the weekday nearest to the day n, in the same month
}

// weekDays are days of weeks, Sunday 1 to Saturday 7.
type weekDays struct {
	set  uint64
	last uint64     // nL: the last such day of a month
	nth  []nthOfDay // n#m
}

type nthOfDay struct{ day, n int }

func (d *monthDays) has(day time.Time) bool {
	n, last := day.Day(), lastOfMonth(day)
	if d.set&(1<<n) != 0 || d.last && n == last || d.lastWeekday && n == nearestWeekday(day, last, last) {
		return true
	}
	for _, wanted := range d.nearest {
		if wanted <= last && n == nearestWeekday(day, wanted, last) {
			return true
		}
	}
	return false
}

func (d *weekDays) has(day time.Time) bool {
	n, w := day.Day(), int(day.Weekday())+1
	if d.set&(1<<w) != 0 || d.last&(1<<w) != 0 && n+7 > lastOfMonth(day) {
		return true
	}
	for _, nth := range d.nth {
		if nth.day == w && nth.n == (n+6)/7 {
			return true
		}
	}
	return false
}

func lastOfMonth(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the day from Monday to Friday nearest to the nth of the month
// of day, which has last days.
func nearestWeekday(day time.Time, n, last int) int {
	switch time.Date(day.Year(), day.Month(), n, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if n > 1 {
			return n - 1
		}
		return n + 2
	case time.Sunday:
		if n < last {
			return n + 1
		}
		return n - 2
	}
	return n
}

// next is the first minute after a time that the expression names; false when
// there is none until the last year.
func (c *cron) next(after time.Time) (time.Time, bool) {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= lastYear {
		year, month, day := t.Date()
		switch {
		case c.years != nil && !c.years[year]:
			t = time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case c.months&(1<<month) == 0:
			t = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.onDay(t):
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		default:
			if at, ok := c.within(t); ok {
				return at, true
			}
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		}
	}
	return time.Time{}, false
}

func (c *cron) onDay(day time.Time) bool {
	if c.byWeek {
		return c.week.has(day)
	}
	return c.month.has(day)
}

// within is the first minute from t on, on the same day.
func (c *cron) within(t time.Time) (time.Time, bool) {
	from := t.Minute()
	for hour := t.Hour(); hour < 24; hour++ {
		if left := c.minutes >> from; c.hours&(1<<hour) != 0 && left != 0 {
			year, month, day := t.Date()
			return time.Date(year, month, day, hour, from+bits.TrailingZeros64(left), 0, 0, time.UTC), true
		}
		from = 0
	}
	return time.Time{}, false
}
