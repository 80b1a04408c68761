package metric

import (
	"slices"
	"time"
)

// Filter chooses metrics to list; its zero fields choose all.
type Filter struct {
	Namespace  string
	Name       string
	Dimensions []Dimension   // those a metric must have; an empty value is any
	Active     time.Duration // something came in that long ago at most
	After      string        // where the page before ended
	Limit      int
}

// Takes tells whether a metric passes by its names.
func (f *Filter) Takes(m Metric) bool {
	if f.Namespace != "" && f.Namespace != m.Namespace || f.Name != "" && f.Name != m.Name {
		return false
	}
	for _, want := range f.Dimensions {
		if !slices.ContainsFunc(m.Dimensions, func(d Dimension) bool {
			return d.Name == want.Name && (want.Value == "" || d.Value == want.Value)
		}) {
			return false
		}
	}
	return true
}
