package lines

import (
	"regexp"
	"strings"
)

// Joiner joins lines into events: a line that matches Start begins one, and the
// lines after it belong to it. With a nil Start each line is an event.
type Joiner struct {
	Start *regexp.Regexp

	held []string
	size int
	time int64 // of the first line held
	end  int64
}

// Add takes a line and emits the event it ends, if any.
func (j *Joiner) Add(line Event, emit func(Event)) {
	if j.Start == nil {
		emit(line)
		return
	}
	if j.Start.MatchString(line.Text) || j.size+1+len(line.Text) > maxLine {
		j.Flush(emit)
	}
	if len(j.held) == 0 {
		j.time = line.Time
	}
	j.held = append(j.held, line.Text)
	j.size += len(line.Text) + 1
	j.end = line.End
}

// Holding tells whether an event has begun.
func (j *Joiner) Holding() bool { return len(j.held) > 0 }

// Flush emits the event that has begun.
func (j *Joiner) Flush(emit func(Event)) {
	if len(j.held) == 0 {
		return
	}
	event := Event{Text: strings.Join(j.held, "\n"), Time: j.time, End: j.end}
	j.Drop()
	emit(event)
}

// Drop forgets the event that has begun.
func (j *Joiner) Drop() { j.held, j.size = nil, 0 }
