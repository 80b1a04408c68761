package fields_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// run calls the tables by one client.
type run struct {
	client client
	whole  bool // the client has the newest model
	ledger *ledger
	vars   map[string]string
	// session is as long as a table: what opens sessions of agents is told by it.
	session context.Context
	last    map[string]map[string]any // by operation, the last request that was not refused
}

// table calls a table from its first line to its last.
func (r *run) table(t *testing.T, tb table) {
	r.last, r.session = map[string]map[string]any{}, t.Context()
	for _, c := range tb.calls {
		if err := r.call(t, tb.name, c); err != nil {
			t.Fatalf("testdata/%s.txt:%d: %s: %v", tb.name, c.line, c.operation, err)
		}
	}
}

func (r *run) call(t *testing.T, table string, c *call) error {
	if _, newer := c.first("newer"); newer && !r.whole {
		return nil
	}
	request, err := r.request(c)
	if err != nil {
		return err
	}
	model, answers, known := r.client.knows(c.operation)
	if !known {
		if r.whole {
			return errors.New("no such operation")
		}
		return nil
	}
	sent := prune("", request, model)
	fails, refuses := c.first("fails")
	if fewer := len(leavesOf("", sent)) < len(leavesOf("", request)); fewer {
		if r.whole {
			return fmt.Errorf("the model has none of %q", without(leavesOf("", request), leavesOf("", sent)))
		}
		if refuses {
			return nil // for fields that this client does not know
		}
	}
	request, _ = sent.(map[string]any)
	for _, leaf := range leavesOf("", request) {
		put(r.ledger.sent, c.operation, nameIn(leaf, model), true)
	}
	answer, err := r.answer(t, c, request, answers)
	if failed := (*refusal)(nil); errors.As(err, &failed) {
		r.ledger.answers(c.operation, claim{refused, failed.Code, table})
		if !refuses {
			return failed
		}
		return r.refused(c, table, fails, failed)
	}
	if err != nil {
		return err
	}
	if refuses {
		return fmt.Errorf("not refused by %s", fails)
	}
	r.ledger.answers(c.operation, claim{works, "", table})
	r.last[c.operation] = request
	return r.check(c, table, answer, answers)
}

// request reads the call's request, its variables replaced.
func (r *run) request(c *call) (map[string]any, error) {
	text, err := r.expand(c.request)
	if err != nil {
		return nil, err
	}
	request := map[string]any{}
	if strings.TrimSpace(text) == "" {
		return request, nil
	}
	return request, json.Unmarshal([]byte(text), &request)
}

func (r *run) expand(text string) (string, error) {
	var err error
	return os.Expand(text, func(name string) string {
		v, ok := r.vars[name]
		if !ok {
			err = fmt.Errorf("nothing is saved as $%s", name)
		}
		return v
	}), err
}

// answer calls, and calls again until what is waited for is there.
func (r *run) answer(t *testing.T, c *call, request map[string]any, model map[string]bool) (map[string]any, error) {
	tick, end := time.NewTicker(100*time.Millisecond), time.After(60*time.Second)
	defer tick.Stop()
	for {
		answer, err := r.client.call(t.Context(), c.operation, request)
		if err != nil {
			return nil, err
		}
		err = r.waited(c, answer, model)
		if err == nil {
			return answer, nil
		}
		select {
		case <-tick.C:
		case <-end:
			return nil, fmt.Errorf("waited in vain: %w", err)
		}
	}
}

func (r *run) waited(c *call, answer map[string]any, model map[string]bool) error {
	for _, e := range c.expect {
		if e.word == "wait" {
			if err := r.want(e.rest, c.operation, answer, model); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) refused(c *call, table, fails string, have *refusal) error {
	fails, err := r.expand(fails)
	if err != nil {
		return err
	}
	code, message, _ := strings.Cut(fails, " ")
	if code != have.Code || !like(message, have.Message) {
		return fmt.Errorf("%w instead of %s", have, fails)
	}
	for _, e := range c.expect {
		shown := claim{refused, have.Code, table}
		switch e.word {
		case "works": // to be held against something is an effect
			shown = claim{works, "", table}
		case "refused":
		default:
			continue
		}
		for field := range strings.FieldsSeq(e.rest) {
			if err := r.ledger.claim(c.operation, field, shown); err != nil {
				return err
			}
		}
	}
	return nil
}

// prune is a value without what a model has not.
func prune(path string, v any, model map[string]bool) any {
	switch in := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, item := range in {
			if kept := prune(join(path, name), item, model); kept != nil {
				out[name] = kept
			}
		}
		if len(out) == 0 && len(in) > 0 {
			return nil
		}
		return out
	case []any:
		out := []any{}
		for _, item := range in {
			if kept := prune(path+"[]", item, model); kept != nil {
				out = append(out, kept)
			}
		}
		if len(out) == 0 && len(in) > 0 {
			return nil
		}
		return out
	}
	if nameIn(path, model) == "" {
		return nil
	}
	return v
}

// nameIn is a field as the model names it: a map's items are one field, and so is
// what a document holds. It is empty for what the model has not.
func nameIn(path string, model map[string]bool) string {
	if model[path] {
		return path
	}
	for at := strings.LastIndexAny(path, ".["); at > 0; at = strings.LastIndexAny(path[:at], ".[") {
		for _, name := range []string{path[:at] + "{}", path[:at]} {
			if model[name] {
				return name
			}
		}
	}
	return ""
}

func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}
