package policy

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operand is a value of a policy's condition, ready to be compared with values of
// a request.
type operand interface{ matches(value string) bool }

// marking is how the text of an operand is marked before variables are put in.
func (c comparison) marking() marking {
	switch c {
	case stringLike:
		return markWildcards
	case arnLike:
		return arnMarking(false)
	}
	return plain
}

// operand makes one of marked text.
func (c comparison) operand(text string) (operand, error) {
	switch c {
	case stringEquals:
		return exact(text), nil
	case stringFold:
		return folded(text), nil
	case stringLike:
		return like{newWildcard(text)}, nil
	case arnLike:
		return arnPattern(text), nil
	case boolean, null:
		return newTruth(text)
	case binary:
		return newEncoded(text)
	case address:
		return newBlock(text)
	}
	if c >= dateEquals {
		return newInstant(text, c-dateEquals)
	}
	return newQuantity(text, c-numericEquals)
}

type exact string

func (e exact) matches(v string) bool { return string(e) == v }

type folded string

func (f folded) matches(v string) bool { return strings.EqualFold(string(f), v) }

type like struct{ wildcard }

func (l like) matches(v string) bool { return l.wildcard.matches(v) }

// arnPattern is marked with arnMarking.
type arnPattern string

// anyARN is a lone *.
const anyARN arnPattern = "\xfd"

func (a arnPattern) matches(v string) bool {
	if a == anyARN {
		return true
	}
	return strings.Count(string(a), ":") >= 5 && glob(string(a), v)
}

type truth bool

func newTruth(text string) (operand, error) {
	b, ok := parseTruth(text)
	if !ok {
		return nil, fmt.Errorf("%q is neither true nor false", text)
	}
	return truth(b), nil
}

func parseTruth(text string) (value, ok bool) {
	return strings.EqualFold(text, "true"), strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

func (t truth) matches(v string) bool {
	b, ok := parseTruth(v)
	return ok && b == bool(t)
}

// newEncoded compares base64 as text, as AWS does.
func newEncoded(text string) (operand, error) {
	_, err := base64.StdEncoding.DecodeString(text)
	return exact(text), err
}

type block netip.Prefix

func newBlock(text string) (operand, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return block(p.Masked()), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither an address nor a CIDR block", text)
	}
	a = a.WithZone("").Unmap()
	return block(netip.PrefixFrom(a, a.BitLen())), nil
}

func (b block) matches(v string) bool {
	a, err := netip.ParseAddr(v)
	return err == nil && netip.Prefix(b).Contains(a.WithZone("").Unmap())
}

// holds tells whether a relation (equals, less, less or equal, greater, greater or
// equal, as the comparisons are ordered) fits the outcome of comparing a request's
// value with the policy's.
func holds(relation comparison, order int) bool {
	switch relation {
	case 0:
		return order == 0
	case 1:
		return order < 0
	case 2:
		return order <= 0
	case 3:
		return order > 0
	}
	return order >= 0
}

type quantity struct {
	n        float64
	relation comparison
}

func newQuantity(text string, relation comparison) (operand, error) {
	n, ok := parseNumber(text)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	return quantity{n, relation}, nil
}

// parseNumber takes decimals only, not the hexadecimals and infinities Go knows.
func parseNumber(text string) (float64, bool) {
	if strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune("+-0123456789.eE", c) }) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

func (q quantity) matches(v string) bool {
	n, ok := parseNumber(v)
	return ok && holds(q.relation, cmp.Compare(n, q.n))
}

type instant struct {
	at       time.Time
	relation comparison
}

func newInstant(text string, relation comparison) (operand, error) {
	at, ok := parseInstant(text)
	if !ok {
		return nil, fmt.Errorf("%q is neither a date of ISO 8601 nor seconds since 1970", text)
	}
	return instant{at, relation}, nil
}

func (i instant) matches(v string) bool {
	at, ok := parseInstant(v)
	return ok && holds(i.relation, at.Compare(i.at))
}

// parseInstant reads the forms of https://www.w3.org/TR/NOTE-datetime, a date and
// time without a zone as UTC, and seconds since 1970.
func parseInstant(text string) (time.Time, bool) {
	for _, form := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
		"2006-01-02T15:04:05Z0700", "2006-01-02", "2006-01",
	} {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	if at, err := time.Parse("2006", text); err == nil {
		return at, true
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}
