package policy

import (
	"encoding/json"
	"slices"
)

// Statement shows what a statement says, as it was written. Its lists are the
// document's own: they are not to be changed.
type Statement struct {
	Sid           string
	Effect        Effect // Allow or ExplicitDeny
	Principals    []PrincipalName
	NotPrincipals []PrincipalName
	Actions       []string
	NotActions    []string
	Resources     []string
	NotResources  []string
	Conditions    []Condition
}

// PrincipalName is a principal and its type: "AWS", "Service", "Federated",
// "CanonicalUser", or "*" for a Principal that is "*".
type PrincipalName struct{ Type, Name string }

// Condition is one key of one operator.
type Condition struct {
	Operator string // "ForAnyValue:StringLike"
	Key      string
	Values   []string
}

// Statements shows the statements in order.
func (d *Document) Statements() []Statement {
	list := make([]Statement, len(d.statements))
	for i := range d.statements {
		list[i] = d.statements[i].source
	}
	return list
}

// Keys are the condition keys that conditions and variables name, sorted, each once.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForCustomPolicy.html
func (d *Document) Keys() []string {
	var keys []string
	for i := range d.statements {
		s := &d.statements[i]
		for j := range s.resources {
			keys = s.resources[j].template.names(keys)
		}
		for j := range s.conditions {
			keys = append(keys, s.conditions[j].name)
			for _, v := range s.conditions[j].values {
				keys = v.template.names(keys)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (t template) names(list []string) []string {
	for _, p := range t {
		if p.name != "" {
			list = append(list, p.name)
		}
	}
	return list
}

// Text is the document as JSON, without what does not change its meaning.
func (d *Document) Text() string { return text(d.version, d.id, d.Statements()) }

// Print writes a policy of the newer version. Within a statement a key comes once
// under each operator.
func Print(statements []Statement) string { return text(Version2012, "", statements) }

type written struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement []writtenStatement
}

type writtenStatement struct {
	Sid          string                         `json:",omitempty"`
	Effect       string                         `json:",omitempty"`
	Principal    any                            `json:",omitempty"`
	NotPrincipal any                            `json:",omitempty"`
	Action       []string                       `json:",omitempty"`
	NotAction    []string                       `json:",omitempty"`
	Resource     []string                       `json:",omitempty"`
	NotResource  []string                       `json:",omitempty"`
	Condition    map[string]map[string][]string `json:",omitempty"`
}

func text(version, id string, statements []Statement) string {
	w := written{Version: version, ID: id, Statement: make([]writtenStatement, len(statements))}
	for i := range statements {
		w.Statement[i] = statements[i].written()
	}
	// Strings, lists and maps of them always have a JSON form.
	b, _ := json.Marshal(w)
	return string(b)
}

func (s *Statement) written() writtenStatement {
	w := writtenStatement{
		Sid: s.Sid, Effect: "Deny", Principal: writtenPrincipals(s.Principals), NotPrincipal: writtenPrincipals(s.NotPrincipals),
		Action: s.Actions, NotAction: s.NotActions, Resource: s.Resources, NotResource: s.NotResources,
	}
	if s.Effect == Allow {
		w.Effect = "Allow"
	}
	for _, c := range s.Conditions {
		if w.Condition == nil {
			w.Condition = map[string]map[string][]string{}
		}
		if w.Condition[c.Operator] == nil {
			w.Condition[c.Operator] = map[string][]string{}
		}
		w.Condition[c.Operator][c.Key] = append([]string{}, c.Values...)
	}
	return w
}

func writtenPrincipals(list []PrincipalName) any {
	if len(list) == 0 {
		return nil
	}
	types := map[string][]string{}
	for _, p := range list {
		if p.Type == "*" {
			return "*"
		}
		types[p.Type] = append(types[p.Type], p.Name)
	}
	return types
}
