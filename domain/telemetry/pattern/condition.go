package pattern

// condition is a Boolean expression over a subject: a decoded JSON message, or
// the fields of a space-delimited one.
type condition[S any] interface {
	holds(subject S) bool
}

type both[S any] struct{ left, right condition[S] }

func (b both[S]) holds(s S) bool { return b.left.holds(s) && b.right.holds(s) }

type either[S any] struct{ left, right condition[S] }

func (e either[S]) holds(s S) bool { return e.left.holds(s) || e.right.holds(s) }

// parseEither reads a whole expression: && binds tighter than ||, parentheses
// tightest. leaf reads one comparison.
func parseEither[S any](s *scanner, leaf func() (condition[S], error)) (condition[S], error) {
	left, err := parseBoth(s, leaf)
	for err == nil {
		if s.skipSpace(); !s.take("||") {
			return left, nil
		}
		var right condition[S]
		right, err = parseBoth(s, leaf)
		left = either[S]{left, right}
	}
	return nil, err
}

func parseBoth[S any](s *scanner, leaf func() (condition[S], error)) (condition[S], error) {
	left, err := parseGroup(s, leaf)
	for err == nil {
		if s.skipSpace(); !s.take("&&") {
			return left, nil
		}
		var right condition[S]
		right, err = parseGroup(s, leaf)
		left = both[S]{left, right}
	}
	return nil, err
}

func parseGroup[S any](s *scanner, leaf func() (condition[S], error)) (condition[S], error) {
	s.skipSpace()
	if !s.take("(") {
		return leaf()
	}
	inner, err := parseEither(s, leaf)
	if err != nil {
		return nil, err
	}
	if s.skipSpace(); !s.take(")") {
		return nil, invalid("a ')' is missing")
	}
	return inner, nil
}
