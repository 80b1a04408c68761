package edge

import (
	"slices"

	"github.com/berthhq/berth/domain/balancer"
)

// layer leaves nodes of Classic balancers only the listeners of some protocols, for the
// engine that carries those. Nodes of one balancer go on sharing one front.
func layer(nodes []Node, protocols ...string) []Node {
	fronts := map[*balancer.Front]*balancer.Front{}
	out := slices.Clone(nodes)
	for n := range out {
		whole := out[n].Front
		if whole.Balancer.Kind != balancer.Classic {
			continue
		}
		if fronts[whole] == nil {
			part := *whole
			part.Listeners = slices.DeleteFunc(slices.Clone(whole.Listeners), func(l balancer.FrontListener) bool {
				return !slices.Contains(protocols, l.Listener.Protocol)
			})
			fronts[whole] = &part
		}
		out[n].Front = fronts[whole]
	}
	return out
}
