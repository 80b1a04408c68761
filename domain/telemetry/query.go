package telemetry

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/telemetry/pattern"
)

// GroupQuery asks for groups in the order of their names.
type GroupQuery struct {
	Prefix   string
	Contains string
	Class    Class  // empty for any
	After    string // names after this one; empty from the start
	Limit    int
}

// StreamQuery asks for streams of a group, by name or by the time of their last
// event.
type StreamQuery struct {
	Prefix     string
	ByTime     bool
	Descending bool
	After      *StreamCursor // nil from the start
	Limit      int
}

// StreamCursor is the stream a page ended with.
type StreamCursor struct {
	Name      string
	LastEvent int64
}

// Window is a range of time; both ends are included. An End of 0 is open, a
// negative one leaves nothing.
type Window struct {
	Start int64
	End   int64
}

// ReadQuery asks for a page of one stream's events.
type ReadQuery struct {
	Window Window
	// Forward reads up from From, otherwise the page ends just before From. A nil
	// From is the oldest event going forward and past the newest going back.
	Forward bool
	From    *Position
	Limit   int // events; 0 for as many as fit a page
}

// Page is what a ReadQuery found, always oldest first.
type Page struct {
	Records []Record
	// Before and After are the gaps around the page: reading backward from Before
	// and forward from After goes on without losing or repeating an event.
	Before, After Position
}

// SearchQuery asks for a page of a group's events, of all streams or some.
type SearchQuery struct {
	Window  Window
	Pattern *pattern.Pattern
	Streams StreamSet
	From    *Position // nil from the start
	Limit   int       // events; 0 for as many as fit a page
}

// Found is what a SearchQuery found, oldest first. Next is nil at the end; a page
// with a Next may be short or empty, because a search stops after a while.
type Found struct {
	Records []Record
	Next    *Position
}

// StreamSet chooses streams: by name, or by prefixes of names, or all when both
// are empty.
type StreamSet struct {
	Names    []string
	Prefixes []string
}

// All tells whether the set holds every stream.
func (s StreamSet) All() bool { return len(s.Names) == 0 && len(s.Prefixes) == 0 }

// Has tells whether the set holds the stream.
func (s StreamSet) Has(name string) bool {
	if s.All() {
		return true
	}
	if slices.Contains(s.Names, name) {
		return true
	}
	for _, p := range s.Prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// TailQuery asks for events as they come in.
type TailQuery struct {
	Groups  []string
	Streams StreamSet
	Pattern *pattern.Pattern
}

// TailRecord is an event that came in.
type TailRecord struct {
	Group string
	Record
}

// PageBytes and PageEvents bound a page of events.
const (
	PageBytes  = 1 << 20
	PageEvents = 10_000
)

// Tail collects events as they come in, for whoever asked for them.
type Tail interface {
	// Take returns what came in since the last Take, and whether some was lost
	// because it came faster than it was taken.
	Take() (records []TailRecord, lost bool)
	Close()
}
