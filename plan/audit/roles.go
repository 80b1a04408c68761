package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

// shared finds task roles that several families have: what one may, the other may.
func shared(definitions []*workload.Definition) []Finding {
	families := map[string][]string{}
	for _, d := range definitions {
		if d.TaskRoleARN != "" && !slices.Contains(families[d.TaskRoleARN], d.Family) {
			families[d.TaskRoleARN] = append(families[d.TaskRoleARN], d.Family)
		}
	}
	var out []Finding
	for _, role := range slices.Sorted(maps.Keys(families)) {
		if list := families[role]; len(list) > 1 {
			slices.Sort(list)
			out = append(out, Finding{
				Roles, "shared-role", Medium, role,
				"One task role serves the families " + strings.Join(list, ", ") + ": each may what the others need.", "give each family a role of its own; `berth iam suggest ROLE` writes its policy",
			})
		}
	}
	return out
}

// wide finds policies of the tasks' roles that allow everything, or everything of a
// service, on everything. Execution roles are berth's to use and have AWS's policy.
func wide(r store.Reader, account string, definitions []*workload.Definition) []Finding {
	seen := map[string]bool{"": true}
	var out []Finding
	for _, d := range definitions {
		if seen[d.TaskRoleARN] {
			continue
		}
		seen[d.TaskRoleARN] = true
		if role, ok := store.Roles.Get(r, store.NameKey(account, arn.NameOf(d.TaskRoleARN))); ok {
			out = append(out, widthOf(r, role)...)
		}
	}
	return out
}

func widthOf(r store.Reader, role *identity.Role) []Finding {
	var out []Finding
	for _, p := range policies(r, &role.Grants) {
		for _, s := range p.Document.Statements() {
			if s.Effect != policy.Allow || !slices.Contains(s.Resources, "*") || len(s.Conditions) > 0 {
				continue
			}
			if f, ok := width(role, p.Name, s); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

func width(role *identity.Role, name string, s policy.Statement) (Finding, bool) {
	f := Finding{Roles, "wide-policy", Medium, role.ARN, "", "`berth iam unused " + role.Name + "` shows what is never used, `berth iam suggest " + role.Name + "` what is enough"}
	for _, action := range s.Actions {
		switch {
		case action == "*" || action == "*:*":
			f.Rule, f.Severity, f.Text = "allows-everything", High, "The policy "+name+" allows every action on everything."
			return f, true
		case strings.HasSuffix(action, ":*"):
			f.Text = "The policy " + name + " allows " + action + " on everything."
		}
	}
	if len(s.NotActions) > 0 {
		f.Text = "The policy " + name + " allows all but a few actions on everything."
	}
	return f, f.Text != ""
}

// policies are those that a holder has; none where one cannot be read, which then
// allows nothing.
func policies(r store.Reader, g *identity.Grants) []policy.Applied {
	held, err := mandate.Gatherer{View: r}.Grants(g)
	if err != nil {
		return nil
	}
	return held.Identity
}

// Grants are the actions that a holder's policies allow, whatever on. A statement
// that allows all but some actions counts as the star.
func Grants(r store.Reader, g *identity.Grants) []usage.Grant {
	var out []usage.Grant
	for _, p := range policies(r, g) {
		grant := usage.Grant{Policy: p.Name}
		for _, s := range p.Document.Statements() {
			if s.Effect != policy.Allow {
				continue
			}
			grant.Actions = append(grant.Actions, s.Actions...)
			if len(s.NotActions) > 0 {
				grant.Actions = append(grant.Actions, "*")
			}
		}
		out = append(out, grant)
	}
	return out
}
