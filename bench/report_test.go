package main

import (
	"testing"
	"time"
)

func TestFiguresSayWhereTheyStand(t *testing.T) {
	for _, c := range []struct {
		f    figure
		want string
	}{
		{figure{Name: "p50", Value: 2.345, Unit: "ms", Most: 3}, "p50 2.35 ms (<= 3)"},
		{figure{Name: "p50", Value: 34.56, Unit: "ms", Most: 3}, "p50 34.6 ms (over 3)"},
		{figure{Name: "rate", Value: 1234.5, Unit: "tasks/s", Least: 2000}, "rate 1234 tasks/s (under 2000)"},
		{figure{Name: "rate", Value: 4000, Unit: "tasks/s", Least: 2000}, "rate 4000 tasks/s (>= 2000)"},
		{figure{Name: "lost", Value: 0, Unit: "lines"}, "lost 0 lines"},
	} {
		if got := c.f.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var d durations
	for n := range 100 {
		d = append(d, time.Duration(100-n)*time.Millisecond)
	}
	if d.at(50) != 51 || d.at(99) != 100 || durations(nil).at(50) != 0 {
		t.Errorf("p50 %v, p99 %v", d.at(50), d.at(99))
	}
}

func TestBudgetsAreChosenByNumber(t *testing.T) {
	if got, err := choose("4, 3"); err != nil || len(got) != 2 || got[0].number != 4 || got[1].number != 3 {
		t.Errorf("got %v %v", got, err)
	}
	if all, err := choose(""); err != nil || len(all) != len(budgets()) {
		t.Errorf("%d of %d: %v", len(all), len(budgets()), err)
	}
	for _, bad := range []string{"99", "x", "3,"} {
		if _, err := choose(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestUnitsOfGoBenchmarks(t *testing.T) {
	got := units([]string{"45981", "ns/op", "21748", "decisions/s"})
	if got["ns/op"] != 45981 || got["decisions/s"] != 21748 {
		t.Errorf("got %v", got)
	}
}
