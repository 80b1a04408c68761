package fields_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State of a field.
const (
	works   = "works"   // it has its effect, or is kept and shown
	noop    = "no-op"   // it is taken and has no effect here
	refused = "refused" // it is answered by an error that says so
)

// claim is what a call proves of a field, or of an operation as a whole: its state,
// the reason or error of it, and the table, or other test, that shows it.
type claim struct{ state, note, test string }

// ledger is what a run has proved.
type ledger struct {
	states *states
	sent   map[string]map[string]bool  // operation, field
	claims map[string]map[string]claim // operation, field
	seen   map[string]map[string]bool  // operation, field of the answer
	called map[string]claim            // operation; the note is the error that answers it
}

func newLedger(s *states) *ledger {
	return &ledger{s, map[string]map[string]bool{}, map[string]map[string]claim{}, map[string]map[string]bool{}, map[string]claim{}}
}

func put[V any](in map[string]map[string]V, operation, field string, v V) {
	if in[operation] == nil {
		in[operation] = map[string]V{}
	}
	in[operation][field] = v
}

// claim notes what is proved of the sent fields that match a pattern.
func (l *ledger) claim(operation, pattern string, c claim) error {
	found := false
	for _, field := range slices.Sorted(maps.Keys(l.sent[operation])) {
		if !like(pattern, field) {
			continue
		}
		found = true
		if have, ok := l.claims[operation][field]; !ok || rank(c.state) > rank(have.state) {
			put(l.claims, operation, field, c)
		}
	}
	if !found {
		return fmt.Errorf("%s sent no field %s", operation, pattern)
	}
	return nil
}

func rank(state string) int { return slices.Index([]string{refused, noop, works}, state) }

// answers notes how a call was answered. An operation works when one call does.
func (l *ledger) answers(operation string, c claim) {
	if have, ok := l.called[operation]; !ok || c.state == works && have.state != works {
		l.called[operation] = c
	}
}

// row is a line of fields.tsv.
type row struct {
	operation, field string
	claim
}

// rows are the states of all fields of an operation's model, and what is missing.
func (l *ledger) rows(operation string, model map[string]bool) (rows []row, missing []string) {
	for _, field := range slices.Sorted(maps.Keys(model)) {
		c, ok := l.claims[operation][field]
		switch {
		case !ok && l.sent[operation][field]:
			missing = append(missing, fmt.Sprintf("%s %s: sent, and nothing shows it", operation, field))
			continue
		case !ok:
			missing = append(missing, fmt.Sprintf("%s %s: never sent", operation, field))
			continue
		case c.state == works:
			c = l.states.settle(operation, field, c)
		}
		rows = append(rows, row{operation, field, c})
	}
	return rows, missing
}

// answered is how many fields of the answer were checked.
func (l *ledger) answered(operation string, model map[string]bool) string {
	n := 0
	for field := range l.seen[operation] {
		if model[field] {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(model))
}

func (r row) String() string {
	return strings.Join([]string{r.operation, r.field, r.state, r.note, r.test}, "\t") + "\n"
}
