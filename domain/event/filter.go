package event

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// filter is one entry of a leaf's list.
type filter struct {
	test   func(value any) bool // of a string, json.Number, bool or nil
	absent bool                 // passes when there is no value at all, and only then
}

func (f *filter) passes(values []any) bool {
	if f.absent {
		return len(values) == 0
	}
	for _, v := range values {
		if f.test(v) {
			return true
		}
	}
	return false
}

func parseFilter(v any) (filter, error) {
	switch v := v.(type) {
	case map[string]any:
		return parseContentFilter(v)
	case []any:
		return filter{}, badPattern("Match value must be String, number, true, false, or null")
	}
	return filter{test: func(value any) bool { return value == v }}, nil
}

func parseContentFilter(object map[string]any) (filter, error) {
	if len(object) != 1 {
		return filter{}, badPattern("Only one key allowed in match expression")
	}
	for word, v := range object {
		switch word {
		case "exists":
			return parseExists(v)
		case "anything-but":
			return parseAnythingBut(v)
		}
		test, err := parseTest(word, v)
		return filter{test: test}, err
	}
	return filter{}, nil // not reached: there is one key
}

func parseExists(v any) (filter, error) {
	there, ok := v.(bool)
	if !ok {
		return filter{}, badPattern("exists match pattern must be either true or false.")
	}
	return filter{test: func(any) bool { return true }, absent: !there}, nil
}

// parseTest reads the filters that look at one value.
func parseTest(word string, v any) (func(any) bool, error) {
	switch word {
	case "numeric":
		return parseNumeric(v)
	case "prefix", "suffix":
		return parseAffix(word, v)
	}
	text, ok := v.(string)
	switch word {
	case "equals-ignore-case", "wildcard", "cidr":
		if !ok {
			return nil, badPattern("%s match pattern must be a string", word)
		}
	default:
		return nil, badPattern("Unrecognized match type %s", word)
	}
	switch word {
	case "wildcard":
		return parseWildcard(text)
	case "cidr":
		return parseCIDR(text)
	}
	return onText(func(s string) bool { return strings.EqualFold(s, text) }), nil
}

// onText is a test that only a string can pass.
func onText(test func(string) bool) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && test(s)
	}
}

// parseAffix reads a prefix or suffix: a string, or one whose case does not count.
func parseAffix(word string, v any) (func(any) bool, error) {
	has := strings.HasPrefix
	if word == "suffix" {
		has = strings.HasSuffix
	}
	switch v := v.(type) {
	case string:
		return onText(func(s string) bool { return has(s, v) }), nil
	case map[string]any:
		if text, ok := v["equals-ignore-case"].(string); ok && len(v) == 1 {
			folded := strings.ToLower(text)
			return onText(func(s string) bool { return has(strings.ToLower(s), folded) }), nil
		}
	}
	return nil, badPattern("%s match pattern must be a string", word)
}

// parseCIDR reads a range of addresses; a single address is a range of one.
func parseCIDR(text string) (func(any) bool, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, badPattern("Malformed CIDR, must be an IP address with a mask: %s", text)
		}
		p = netip.PrefixFrom(ip, ip.BitLen())
	}
	p = p.Masked()
	return onText(func(s string) bool {
		ip, err := netip.ParseAddr(s)
		return err == nil && p.Contains(ip)
	}), nil
}

// parseWildcard reads a text in which * stands for any characters, \* for itself
// and \\ for a backslash.
func parseWildcard(text string) (func(any) bool, error) {
	parts, part := []string{}, []byte{}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '\\'):
			i++
			part = append(part, text[i])
		case c == '\\':
			return nil, badPattern("Invalid escape character at pos %d", i)
		case c == '*' && i > 0 && len(part) == 0 && len(parts) > 0:
			return nil, badPattern("Consecutive wildcard characters at pos %d", i-1)
		case c == '*':
			parts, part = append(parts, string(part)), nil
		default:
			part = append(part, c)
		}
	}
	parts = append(parts, string(part))
	return onText(func(s string) bool { return matchParts(s, parts) }), nil
}

// matchParts tells whether s is the parts with anything between them.
func matchParts(s string, parts []string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// parseAnythingBut reads what a value must not be: a value or a list of them, or
// the strings that prefix, suffix, equals-ignore-case or wildcard match.
func parseAnythingBut(v any) (filter, error) {
	if object, ok := v.(map[string]any); ok {
		return parseAnythingButMatch(object)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return filter{}, badPattern("Empty arrays are not allowed")
	}
	for _, e := range list {
		switch e.(type) {
		case string, json.Number:
		default:
			return filter{}, badPattern("Inside anything but list, start|null|boolean is not supported.")
		}
	}
	return filter{test: func(value any) bool {
		for _, e := range list {
			if e == value {
				return false
			}
		}
		return true
	}}, nil
}

func parseAnythingButMatch(object map[string]any) (filter, error) {
	if len(object) != 1 {
		return filter{}, badPattern("Only one key allowed in match expression")
	}
	var tests []func(any) bool
	for word, v := range object {
		switch word {
		case "prefix", "suffix", "equals-ignore-case", "wildcard":
		default:
			return filter{}, badPattern("Unsupported anything-but pattern: %s", word)
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if len(list) == 0 {
			return filter{}, badPattern("Empty arrays are not allowed")
		}
		for _, e := range list {
			test, err := parseTest(word, e)
			if err != nil {
				return filter{}, err
			}
			tests = append(tests, test)
		}
	}
	return filter{test: func(value any) bool {
		for _, test := range tests {
			if test(value) {
				return false
			}
		}
		return true
	}}, nil
}
