package fields_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// check holds an answer against what is expected of it.
func (r *run) check(c *call, table string, answer map[string]any, model map[string]bool) error {
	proves := false
	for _, e := range c.expect {
		var err error
		switch e.word {
		case "want", "wait":
			err = r.want(e.rest, c.operation, answer, model)
			proves = true
		case "has":
			err = r.has(e.rest, c.operation, answer, model)
			proves = true
		case "none":
			if have := at(answer, e.rest); have != nil {
				err = fmt.Errorf("%s: %v instead of nothing", e.rest, have)
			}
			proves = true
		case "save":
			err = r.save(e.rest, c.operation, answer, model)
		case "joins":
			instance, _ := at(answer, below(e.rest)).(string)
			err = here.joins(r.session, instance)
		case "echo":
			err = r.echo(e.rest, c.operation, table, answer, model)
		case "works":
			if !proves {
				return errors.New("works without an expectation before it")
			}
			err = r.claims(e.rest, c.operation, claim{works, "", table})
		case "noop":
			fields, reason, _ := strings.Cut(e.rest, ": ")
			err = r.claims(fields, c.operation, claim{noop, reason, table})
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.word, e.rest, err)
		}
	}
	return nil
}

// claims claims for fields, of another operation where one is named first. What
// the client's model has not is not claimed.
func (r *run) claims(words, operation string, c claim) error {
	for word := range strings.FieldsSeq(words) {
		if unicode.IsUpper(rune(word[0])) {
			operation = word
			continue
		}
		if err := r.ledger.claim(operation, word, c); err != nil && r.whole {
			return err
		}
	}
	return nil
}

// parse reads "PATH JSON".
func (r *run) parse(rest string) (path string, v any, err error) {
	rest, err = r.expand(rest)
	if err != nil {
		return "", nil, err
	}
	path, text, _ := strings.Cut(rest, " ")
	err = json.Unmarshal([]byte(text), &v)
	return path, v, err
}

// below is a path in an answer: "." is the whole.
func below(path string) string { return strings.Trim(path, ".") }

func (r *run) want(rest, operation string, answer map[string]any, model map[string]bool) error {
	path, v, err := r.parse(rest)
	if err != nil {
		return err
	}
	if !r.whole {
		if v = prune(field(path), v, model); v == nil {
			return nil
		}
	}
	r.saw(operation, field(path), v, model)
	if diff := compare(v, at(answer, below(path))); diff != "" {
		return fmt.Errorf("%s: %s", path, diff)
	}
	return nil
}

func (r *run) has(rest, operation string, answer map[string]any, model map[string]bool) error {
	path, v, err := r.parse(rest)
	if err != nil {
		return err
	}
	r.saw(operation, field(path)+"[]", v, model)
	items, _ := at(answer, below(path)).([]any)
	for _, item := range items {
		if compare(v, item) == "" {
			return nil
		}
	}
	return fmt.Errorf("%s: not among %v", path, items)
}

func (r *run) save(rest, operation string, answer map[string]any, model map[string]bool) error {
	path, name, _ := strings.Cut(rest, " ")
	text, ok := at(answer, below(path)).(string)
	if !ok {
		return fmt.Errorf("%v is no text", at(answer, below(path)))
	}
	r.saw(operation, field(path), text, model)
	r.vars[name] = text
	return nil
}

// saw notes the fields of an answer that were looked at.
func (r *run) saw(operation, path string, v any, model map[string]bool) {
	for _, leaf := range leavesOf(path, v) {
		if name := nameIn(strings.TrimPrefix(leaf, "."), model); name != "" {
			put(r.ledger.seen, operation, name, true)
		}
	}
}

// echo claims the fields of a request that the answer shows.
func (r *run) echo(rest, operation, table string, answer map[string]any, model map[string]bool) error {
	words := strings.Fields(rest)
	path, of, from := words[0], operation, ""
	for i := 1; i+1 < len(words); i += 2 {
		switch words[i] {
		case "of":
			of = words[i+1]
		case "from":
			from = words[i+1]
		default:
			return fmt.Errorf("what is %q?", words[i])
		}
	}
	request := any(r.last[of])
	if from != "" {
		request = at(request, from)
	}
	var e echo
	e.look(from, request, at(answer, below(path)))
	if len(e.differ) > 0 {
		return errors.New(strings.Join(e.differ, "; "))
	}
	requests, _, _ := r.client.knows(of)
	for _, leaf := range e.shown {
		if err := r.ledger.claim(of, nameIn(leaf, requests), claim{works, "", table}); err != nil {
			return err
		}
		shown := join(field(path), strings.TrimPrefix(strings.TrimPrefix(leaf, from), "."))
		if name := nameIn(strings.TrimPrefix(shown, "."), model); name != "" {
			put(r.ledger.seen, operation, name, true)
		}
	}
	if len(e.shown) == 0 && r.whole {
		return errors.New("shows nothing of the request")
	}
	return nil
}
