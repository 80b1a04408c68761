package policy

import (
	"slices"
	"strconv"
)

// condition is one key of one operator; all of a statement's must hold.
type condition struct {
	operator
	name   string // of the key, as it is written
	key    string // name in lower case
	values []value
}

// value is one of those a condition compares with.
type value struct {
	operand  operand  // nil where it has variables
	template template // nil where it has none
}

func (r *reader) condition(s *statement, o object, place string) error {
	v, ok := o.get("Condition")
	if !ok {
		return nil
	}
	place += ".Condition"
	block, ok := v.(object)
	if !ok {
		return refuse(saySyntax, place, "it must be an object of operators")
	}
	for _, m := range block {
		if err := r.operatorBlock(s, m, place+"."+m.name); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) operatorBlock(s *statement, m member, place string) error {
	op, known := parseOperator(m.name)
	if !known {
		return refuse(saySyntax, place, "there is no such condition operator")
	}
	keys, ok := m.value.(object)
	if !ok {
		return refuse(saySyntax, place, "it must be an object of condition keys")
	}
	for _, k := range keys {
		list, err := scalarList(k.value, place+"."+k.name)
		if err != nil {
			return err
		}
		c, err := r.compile(op, k.name, list, place+"."+k.name)
		if err != nil {
			return err
		}
		s.conditions = append(s.conditions, *c)
		s.source.Conditions = append(s.source.Conditions, Condition{m.name, k.name, list})
	}
	return nil
}

func (r *reader) compile(op operator, name string, list []string, place string) (*condition, error) {
	c := &condition{operator: op, name: name, key: foldKey(name)}
	if name == "" {
		return nil, refuse(saySyntax, place, "it names no condition key")
	}
	for _, text := range list {
		v, err := r.value(op.comparison, text)
		if err != nil {
			return nil, refuse(sayLegacy, place, "%v", err)
		}
		c.values = append(c.values, v)
	}
	return c, nil
}

// value reads one; only strings and ARNs may have variables.
func (r *reader) value(c comparison, text string) (value, error) {
	if c != arnLike && c > stringLike {
		o, err := c.operand(text)
		return value{operand: o}, err
	}
	t, err := r.template(text, c.marking())
	if err != nil {
		return value{}, err
	}
	if constant, ok := t.constant(); ok {
		o, err := c.operand(constant)
		return value{operand: o}, err
	}
	return value{template: t}, nil
}

// met tells whether all conditions of a statement hold.
func (s *statement) met(e *evaluation) bool {
	for i := range s.conditions {
		if !s.conditions[i].holds(e) {
			return false
		}
	}
	return true
}

func (c *condition) holds(e *evaluation) bool {
	values, ok := e.find(c.key)
	absent := !ok || len(values) == 0
	if c.comparison == null {
		return c.matches(e, strconv.FormatBool(absent))
	}
	if absent {
		e.miss(c.name)
		return c.ifExists || c.quantifier == forAll || c.negated && c.quantifier == single
	}
	fits := func(v string) bool { return c.matches(e, v) != c.negated }
	switch {
	case c.quantifier == forAll, c.quantifier == single && c.negated:
		return !slices.ContainsFunc(values, func(v string) bool { return !fits(v) })
	}
	return slices.ContainsFunc(values, fits)
}

// matches compares one value of the request with each of the policy's.
func (c *condition) matches(e *evaluation, v string) bool {
	for i := range c.values {
		o := c.values[i].operand
		if o == nil {
			if o = e.operand(c.comparison, c.values[i].template); o == nil {
				continue
			}
		}
		if o.matches(v) {
			return true
		}
	}
	return false
}

// operand fills a template; nil when that gives nothing that can be compared.
func (e *evaluation) operand(c comparison, t template) operand {
	text, ok := e.fill(t)
	if !ok {
		return nil
	}
	o, err := c.operand(text)
	if err != nil {
		return nil
	}
	return o
}
