package service

// Express is what the revision of an Express gateway service says beyond what
// every service says. Scaling comes with later work: until then it is kept and
// shown, and the service has as many tasks as the minimum.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-overview.html
type Express struct {
	InfrastructureRole string // ARN; stays as it was given first
	HealthCheckPath    string // of the target group of the revision's tasks
	Scaling            ScalingTarget
	Ingress            *Ingress // nil of services from before there were any
}

// Ingress is the way in to an Express gateway service: what was made for it when it
// was created. It stays the same as long as the service is there.
type Ingress struct {
	Host           string // "sh-0123456789abcdef0123456789abcdef.ecs.us-east-1.on.aws"
	Public         bool   // reached from outside of the VPC
	BalancerARN    string // of the Application balancer, which others share
	ListenerARN    string
	RuleARN        string
	CertificateARN string
	GroupARNs      [2]string // of every other deployment's target group
	BalancerGroup  string    // security group of the balancer
	ServiceGroup   string    // security group of the tasks: it admits the balancer
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
