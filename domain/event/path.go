package event

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// Path is the JSONPath of an InputPath: $, and steps to members (.name or
// ['name']) and elements ([0]).
type Path struct{ steps []step }

// step goes to a member, or to an element when name is empty.
type step struct {
	name  string
	index int
}

// ParsePath reads a path. What is wrong with it comes as a Validation fault.
func ParsePath(text string) (Path, error) {
	bad := fault.New(fault.Validation, "Invalid InputPath: %s", text).WithHint("write $ and the names on the way, as in $.detail.lastStatus or $.resources[0]")
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return Path{}, bad
	}
	var p Path
	for rest != "" {
		var s step
		if s, rest, ok = cutStep(rest); !ok {
			return Path{}, bad
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

func cutStep(text string) (s step, rest string, ok bool) {
	if name, isName := strings.CutPrefix(text, "."); isName {
		end := strings.IndexAny(name, ".[")
		if end < 0 {
			end = len(name)
		}
		return step{name: name[:end]}, name[end:], end > 0 && !strings.ContainsAny(name[:end], "*?@$")
	}
	inner, rest, ok := strings.Cut(text, "]")
	inner, opened := strings.CutPrefix(inner, "[")
	if !ok || !opened {
		return s, "", false
	}
	if len(inner) > 2 && inner[0] == inner[len(inner)-1] && (inner[0] == '\'' || inner[0] == '"') {
		return step{name: inner[1 : len(inner)-1]}, rest, true
	}
	n, err := strconv.ParseUint(inner, 10, 31)
	return step{index: int(n)}, rest, err == nil
}

// Find follows the path into JSON; false when it leads nowhere.
func (p Path) Find(v json.RawMessage) (json.RawMessage, bool) {
	for _, s := range p.steps {
		if s.name != "" {
			var object map[string]json.RawMessage
			if json.Unmarshal(v, &object) != nil || object[s.name] == nil {
				return nil, false
			}
			v = object[s.name]
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil || s.index >= len(list) {
			return nil, false
		}
		v = list[s.index]
	}
	return v, true
}
