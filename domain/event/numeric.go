package event

import (
	"encoding/json"
	"math"
)

// maxNumber bounds the numbers of a numeric filter, both ways.
const maxNumber = 5e9

// bound is one comparison of a numeric filter.
type bound struct {
	word  string
	value float64
}

func (b bound) holds(n float64) bool {
	switch b.word {
	case "=":
		return n == b.value
	case "<":
		return n < b.value
	case "<=":
		return n <= b.value
	case ">":
		return n > b.value
	}
	return n >= b.value
}

// parseNumeric reads one comparison, or a lower and an upper bound.
func parseNumeric(v any) (func(any) bool, error) {
	list, ok := v.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, badPattern("Value of numeric must be an array.")
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		word, _ := list[i].(string)
		n, isNumber := number(list[i+1])
		switch {
		case word != "=" && word != "<" && word != "<=" && word != ">" && word != ">=":
			return nil, badPattern("Unrecognized numeric range operator: %v", list[i])
		case !isNumber:
			return nil, badPattern("Value of %s must be numeric", word)
		case math.Abs(n) > maxNumber:
			return nil, badPattern("Value of %s must be between -5.0E9 and 5.0E9, inclusive", word)
		}
		bounds = append(bounds, bound{word, n})
	}
	if len(bounds) == 2 && !isRange(bounds[0], bounds[1]) {
		return nil, badPattern("Bad numeric range: a lower bound and then a greater upper bound are wanted")
	}
	return func(v any) bool {
		n, ok := number(v)
		for _, b := range bounds {
			ok = ok && b.holds(n)
		}
		return ok
	}, nil
}

func isRange(low, high bound) bool {
	return low.word[0] == '>' && high.word[0] == '<' && low.value < high.value
}

func number(v any) (float64, bool) {
	text, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := text.Float64()
	return n, err == nil
}
