package audit

import (
	"fmt"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// open finds security groups that tasks use and that let everybody in.
func open(r store.Reader, account string) []Finding {
	used := map[string]bool{}
	for i := range store.Interfaces.All(r) {
		if i.TaskARN != "" && i.ReleasedAt.IsZero() {
			for _, g := range i.SecurityGroups {
				used[g] = true
			}
		}
	}
	var out []Finding
	for g := range store.SecurityGroups.All(r) {
		if g.Scope.Account != account || !used[g.ID] {
			continue
		}
		for _, rule := range g.Ingress {
			if everybody(&rule) {
				out = append(out, Finding{Ports, "open-to-everybody", Medium, g.ID, fmt.Sprintf("The security group %s of running tasks lets everybody in.", g.Name), "name the groups or ranges that need to come in"})
			}
		}
	}
	return out
}

func everybody(rule *network.Rule) bool {
	return rule.CIDR == "0.0.0.0/0" || rule.CIDR6 == "::/0"
}
