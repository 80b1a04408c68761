package service

// Express is what the revision of an Express gateway service says beyond what
// every service says. The load balancer that HealthCheckPath is for, and the
// scaling, come with later work: until then both are kept and shown, and the
// service has as many tasks as the minimum.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-overview.html
type Express struct {
	InfrastructureRole string // ARN; stays as it was given first
	HealthCheckPath    string
	Scaling            ScalingTarget
}

// ScalingTarget is how many tasks an Express gateway service may have, and what
// decides.
type ScalingTarget struct {
	Min, Max int
	Metric   string // AVERAGE_CPU, AVERAGE_MEMORY or REQUEST_COUNT_PER_TARGET
	Value    int    // that the metric is to keep
}

// ManagedByECS is the Spec.ManagedBy of the service of an Express gateway service.
const ManagedByECS = "ECS"
