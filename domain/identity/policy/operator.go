package policy

import "strings"

// comparison is how a condition's values are compared, its negation apart.
type comparison int

const (
	stringEquals comparison = iota
	stringFold
	stringLike
	numericEquals
	numericLess
	numericLessEquals
	numericGreater
	numericGreaterEquals
	dateEquals
	dateLess
	dateLessEquals
	dateGreater
	dateGreaterEquals
	boolean
	binary
	address
	arnLike
	null
)

// quantifier is what a condition asks of a key with several values.
type quantifier int

const (
	single quantifier = iota
	forAll
	forAny
)

// operator is a condition operator.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type operator struct {
	comparison
	quantifier
	negated  bool
	ifExists bool
}

func parseOperator(name string) (operator, bool) {
	var o operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, o.quantifier = rest, forAll
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, o.quantifier = rest, forAny
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	var known bool
	o.comparison, o.negated, known = comparisonOf(name)
	return o, known && !(o.comparison == null && (o.ifExists || o.quantifier != single))
}

func comparisonOf(name string) (c comparison, negated, known bool) {
	switch name {
	case "StringEquals", "StringNotEquals":
		return stringEquals, name == "StringNotEquals", true
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return stringFold, name == "StringNotEqualsIgnoreCase", true
	case "StringLike", "StringNotLike":
		return stringLike, name == "StringNotLike", true
	case "IpAddress", "NotIpAddress":
		return address, name == "NotIpAddress", true
	case "ArnEquals", "ArnLike":
		return arnLike, false, true
	case "ArnNotEquals", "ArnNotLike":
		return arnLike, true, true
	case "Bool":
		return boolean, false, true
	case "BinaryEquals":
		return binary, false, true
	case "Null":
		return null, false, true
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return relation(rest, numericEquals)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return relation(rest, dateEquals)
	}
	return 0, false, false
}

// relation adds what follows "Numeric" or "Date" to the first of its comparisons.
func relation(name string, first comparison) (c comparison, negated, known bool) {
	switch name {
	case "Equals":
		return first, false, true
	case "NotEquals":
		return first, true, true
	case "LessThan":
		return first + 1, false, true
	case "LessThanEquals":
		return first + 2, false, true
	case "GreaterThan":
		return first + 3, false, true
	case "GreaterThanEquals":
		return first + 4, false, true
	}
	return 0, false, false
}
