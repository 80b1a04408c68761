// Package road says what each host must know to carry traffic: of every VPC the
// interfaces, security groups and peers (network.State), of every load balancer with
// a node there the rules and targets (balancer.Snapshot), the names that tasks may ask
// for (discovery.Zone), and what they may call by Service Connect (discovery.Mesh). All
// of it follows from a view of the store alone; dispatch sends it, agents and edges
// apply it.
package road
