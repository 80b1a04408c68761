package discovery

import "net/netip"

// Connect is what clients of Service Connect need to know of a service. The API of ECS
// writes it, of services that it makes.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html
type Connect struct {
	Owner    string // ARN of the ECS service
	Alias    string // name that clients call, in lower case
	Port     int    // at which they call it
	Protocol string // "http", "http2", "grpc"; empty for TCP
	// Idle and Request are in seconds, 0 for none; nil for Service Connect's own.
	Idle, Request *int
}

// Mesh is what the tasks of a host that are in one namespace and one VPC may call by
// Service Connect. plan/road makes it, the host's proxy goes by it.
type Mesh struct {
	NamespaceID string
	VPCID       string   // empty for tasks in bridge mode
	Tasks       []string // ARNs of those who may call, sorted
	Services    []Called // by ID
}

// Called is a service of a Mesh.
type Called struct {
	ID string // of the Cloud Map service
	Connect
	Endpoints []netip.AddrPort // healthy tasks, sorted
}
