package express

import (
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// admits is the rule of the tasks' security group that lets the balancer in.
func admits(port int, balancerGroup string) network.Rule {
	return network.Rule{ID: lease.NewID("sgr"), Protocol: "tcp", FromPort: port, ToPort: port, Group: balancerGroup}
}

// Admit has the tasks' security group of a way in admit the balancer at the ports, and
// at no others. What else it admits stays.
func Admit(tx *store.Tx, scope arn.Scope, in *service.Ingress, ports []int) {
	have, ok := store.SecurityGroups.Get(tx, network.Key(scope, in.ServiceGroup))
	if !ok {
		return
	}
	next := *have
	next.Ingress = nil
	for _, r := range have.Ingress {
		switch {
		case r.Group != in.BalancerGroup:
		case r.FromPort != r.ToPort || !slices.Contains(ports, r.FromPort):
			continue
		default:
			ports = slices.DeleteFunc(slices.Clone(ports), func(p int) bool { return p == r.FromPort })
		}
		next.Ingress = append(next.Ingress, r)
	}
	for _, p := range ports {
		next.Ingress = append(next.Ingress, admits(p, in.BalancerGroup))
	}
	store.SecurityGroups.Put(tx, &next)
}

// maxGroupName is how long the name of a security group may be.
const maxGroupName = 255

// securityGroup makes a group whose members may call everybody, and be called as the
// rule says. It gives its id.
func (m *making) securityGroup(name string, open network.Rule) string {
	id := lease.NewID("sg")
	for g := range store.SecurityGroups.By(m.tx, store.SecurityGroupsByVPC, network.Key(m.Scope, m.vpc)) {
		if g.Name == name {
			name += "-" + m.id() // that of a service before, which its last task still holds
			break
		}
	}
	store.SecurityGroups.Put(m.tx, &network.SecurityGroup{
		Scope: m.Scope, ID: id, VPCID: m.vpc, Name: name[max(0, len(name)-maxGroupName):], Description: "Managed by Amazon ECS for Express gateway services",
		Ingress: []network.Rule{open}, Egress: []network.Rule{network.OpenRule(lease.NewID("sgr"))}, Tags: Tags(),
	})
	return id
}
