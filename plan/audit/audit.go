// Package audit looks over a whole account for what its owner would rather know:
// roles that unrelated families share, policies wider than anybody needs, secrets
// in plain environments, containers with the host's powers, images that may change
// under their name, ports open to everybody. Everything in it is pure.
package audit

import (
	"cmp"
	"slices"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Severity of a finding.
type Severity string

// Severities.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
)

// Areas that are graded.
const (
	Roles      = "roles"
	Secrets    = "secrets"
	Privileges = "privileges"
	Images     = "images"
	Ports      = "ports"
)

// Finding is one thing to mend.
type Finding struct {
	Area     string   `json:"area"`
	Rule     string   `json:"rule"` // stable, to be ignored by
	Severity Severity `json:"severity"`
	Subject  string   `json:"subject"` // what it is about: FAMILY:REVISION/CONTAINER, a role
	Text     string   `json:"text"`
	Hint     string   `json:"hint"`
}

// Grade is an area's mark.
type Grade struct {
	Area  string `json:"area"`
	Grade string `json:"grade"` // A for nothing to mend, to F
}

// Report is what came of looking.
type Report struct {
	Grades   []Grade   `json:"grades"`
	Findings []Finding `json:"findings"`
}

// Look audits an account: the newest active revision of each family, and those that
// services run, in all regions.
func Look(r store.Reader, account string) Report {
	definitions := inUse(r, account)
	var found []Finding
	for _, d := range definitions {
		found = append(found, definition(d)...)
	}
	found = append(found, shared(definitions)...)
	found = append(found, wide(r, account, definitions)...)
	found = append(found, open(r, account)...)
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(rank(b.Severity)-rank(a.Severity), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Rule, b.Rule))
	})
	return Report{Grades: grades(found), Findings: found}
}

// inUse are the definitions that a next task may come from.
func inUse(r store.Reader, account string) []*workload.Definition {
	var out []*workload.Definition
	add := func(d *workload.Definition, ok bool) {
		if ok && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	for f := range store.Families.All(r) {
		if f.Scope.Account == account {
			add(newest(r, f))
		}
	}
	for s := range store.Services.All(r) {
		if s.Scope.Account == account && s.Status == service.Active {
			if revision, ok := store.ServiceRevisions.Get(r, s.Spec.Revision); ok {
				add(store.TaskDefinitions.Get(r, revision.Template.DefinitionARN))
			}
		}
	}
	return out
}

func newest(r store.Reader, f *workload.Family) (*workload.Definition, bool) {
	for d := range store.TaskDefinitions.ByDescending(r, store.TaskDefinitionsByFamily, f.Key()) {
		if d.Status == workload.Active {
			return d, true
		}
	}
	return nil, false
}

func rank(s Severity) int {
	return slices.Index([]Severity{Low, Medium, High}, s)
}

// grades marks each area by its findings: three low ones weigh a medium, three
// medium a high.
func grades(found []Finding) []Grade {
	weight := map[string]int{}
	for _, f := range found {
		weight[f.Area] += []int{1, 3, 9}[rank(f.Severity)]
	}
	var out []Grade
	for _, area := range []string{Roles, Secrets, Privileges, Images, Ports} {
		out = append(out, Grade{area, mark(weight[area])})
	}
	return out
}

func mark(weight int) string {
	switch {
	case weight == 0:
		return "A"
	case weight < 3:
		return "B"
	case weight < 9:
		return "C"
	case weight < 18:
		return "D"
	}
	return "F"
}
