package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// Transformer makes a target's input from parts of the event.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
type Transformer struct {
	Paths    map[string]string // variable to JSONPath
	Template string
}

// reserved begins the names of the variables that EventBridge itself gives.
const reserved = "aws.events."

// CheckInput checks what a target says of its input. What is wrong comes as a
// Validation fault.
func (t *Target) CheckInput() error {
	given := 0
	for _, there := range []bool{t.Input != "", t.InputPath != "", t.Transformer != nil} {
		if there {
			given++
		}
	}
	if given > 1 {
		return fault.New(fault.Validation, "Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	}
	if t.Input != "" && !json.Valid([]byte(t.Input)) {
		return fault.New(fault.Validation, "JSON syntax error in input for target %s", t.ID).WithHint("Input is JSON; a plain text is written \"in quotes\"")
	}
	if t.InputPath != "" {
		if _, err := ParsePath(t.InputPath); err != nil {
			return err
		}
	}
	if t.Transformer == nil {
		return nil
	}
	for name, path := range t.Transformer.Paths {
		if strings.HasPrefix(strings.ToLower(name), "aws") {
			return fault.New(fault.Validation, "Invalid InputPathsMap for target %s: keys cannot start with \"AWS\".", t.ID)
		}
		if _, err := ParsePath(path); err != nil {
			return fault.New(fault.Validation, "Invalid InputPathsMap for target %s: %s", t.ID, fault.Of(err).Message)
		}
	}
	return nil
}

// Payload is what the target gets of the event, by a rule.
func (t *Target) Payload(r *Rule, e *Event, received time.Time) json.RawMessage {
	whole := e.JSON()
	switch {
	case t.Input != "":
		return json.RawMessage(t.Input)
	case t.InputPath != "":
		if p, err := ParsePath(t.InputPath); err == nil {
			if v, ok := p.Find(whole); ok {
				return v
			}
		}
		return json.RawMessage("null")
	case t.Transformer != nil:
		return t.Transformer.fill(func(name string) (json.RawMessage, bool) {
			if own, ok := strings.CutPrefix(name, reserved); ok {
				return ownVariable(own, r, e, received)
			}
			text, ok := t.Transformer.Paths[name]
			if !ok {
				return nil, false
			}
			p, err := ParsePath(text)
			if err != nil {
				return nil, true
			}
			v, _ := p.Find(whole)
			return v, true
		})
	}
	return whole
}

func ownVariable(name string, r *Rule, e *Event, received time.Time) (json.RawMessage, bool) {
	switch name {
	case "rule-arn":
		return encode(r.ARN), true
	case "rule-name":
		return encode(r.Name), true
	case "event.ingestion-time":
		return encode(received.UTC().Format(time.RFC3339)), true
	case "event":
		return e.encode(nil), true
	case "event.json":
		return e.JSON(), true
	}
	return nil, false
}

// fill puts values in the place of <names>. Within a string a value stands as its
// text; elsewhere as JSON. A value that is not there is an empty string.
func (t *Transformer) fill(value func(name string) (json.RawMessage, bool)) json.RawMessage {
	var out bytes.Buffer
	quoted := false
	for rest := t.Template; rest != ""; {
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			out.WriteString(rest[:2])
			rest = rest[2:]
			continue
		case rest[0] == '"':
			quoted = !quoted
		case rest[0] == '<':
			name, after, closed := strings.Cut(rest[1:], ">")
			if v, known := value(name); closed && known {
				out.Write(placed(v, quoted))
				rest = after
				continue
			}
		}
		out.WriteByte(rest[0])
		rest = rest[1:]
	}
	return out.Bytes()
}

func placed(v json.RawMessage, quoted bool) []byte {
	if v == nil {
		v = json.RawMessage(`""`)
	}
	if !quoted {
		return v
	}
	var text string
	if json.Unmarshal(v, &text) != nil {
		text = string(v)
	}
	inQuotes := encode(text)
	return inQuotes[1 : len(inQuotes)-1]
}
