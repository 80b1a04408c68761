package policy

import (
	"slices"
	"strconv"
)

// Versions of the policy language. Variables mean something in the newer only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Document is a policy that was read. It never changes.
type Document struct {
	version    string
	id         string
	use        Use
	statements []statement
}

// Version is that of the language; 2008-10-17 when the document names none.
func (d *Document) Version() string { return d.version }

// Parse reads a policy. What it refuses is a MalformedPolicyDocument that says where.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(text string, use Use) (*Document, error) {
	r := &reader{use: use}
	tree, err := readTree(text)
	if err != nil {
		return nil, refuse(r.say(saySyntax, sayInvalidJSON), "policy", "%v", err)
	}
	root, ok := tree.(object)
	if !ok {
		return nil, refuse(r.say(saySyntax, sayInvalidJSON), "policy", "it must be a JSON object")
	}
	return r.document(root)
}

func (r *reader) document(root object) (*Document, error) {
	d := &Document{version: Version2008, use: r.use}
	for _, m := range root {
		if err := r.header(d, m); err != nil {
			return nil, err
		}
	}
	r.variables = d.version == Version2012
	list, err := r.statementList(root)
	if err != nil {
		return nil, err
	}
	for i, v := range list {
		s, err := r.statement(v, "Statement["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		d.statements = append(d.statements, *s)
	}
	return d, r.sidsAreUnique(d.statements)
}

func (r *reader) header(d *Document, m member) error {
	text, isText := m.value.(string)
	switch m.name {
	case "Statement":
		return nil
	case "Version":
		if !isText || text != Version2008 && text != Version2012 {
			return refuse(r.say(saySyntax, sayVersion), "Version", "it must be %q or %q", Version2012, Version2008)
		}
		d.version = text
	case "Id":
		if !isText {
			return refuse(saySyntax, "Id", "it must be a string")
		}
		d.id = text
	default:
		return refuse(r.say(saySyntax, sayUnknown+m.name), m.name, "a policy has Version, Id and Statement only")
	}
	return nil
}

func (r *reader) statementList(root object) ([]any, error) {
	v, ok := root.get("Statement")
	if !ok {
		return nil, refuse(r.say(saySyntax, sayMissing+"Statement"), "Statement", "it is missing")
	}
	if _, one := v.(object); one {
		return []any{v}, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, refuse(r.say(saySyntax, sayNoStatement), "Statement", "it must be a statement or a list of them")
	}
	return list, nil
}

func (r *reader) sidsAreUnique(list []statement) error {
	for i := range list {
		same := func(s statement) bool { return s.sid != "" && s.sid == list[i].sid }
		if slices.ContainsFunc(list[:i], same) {
			return refuse(r.say("Statement IDs (SID) in a single policy must be unique.", "The Statement Ids in the policy are not unique"),
				"Statement["+strconv.Itoa(i)+"].Sid", "%q is there twice", list[i].sid)
		}
	}
	return nil
}
