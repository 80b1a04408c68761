package balancer

import (
	"strconv"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Target types of a target group.
const (
	TargetInstance = "instance"
	TargetIP       = "ip"
	TargetALB      = "alb"
	TargetLambda   = "lambda" // refused
)

// TargetGroup is a set of targets that share their health check and attributes.
type TargetGroup struct {
	Scope           arn.Scope
	ARN             string // primary key
	Name            string
	Protocol        string // HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP; of Classic ones also SSL
	ProtocolVersion string // HTTP1, HTTP2, GRPC; empty but for HTTP and HTTPS
	Port            int
	VPCID           string
	TargetType      string
	AddressType     string // ipv4, ipv6
	HealthCheck     HealthCheck
	Attributes      map[string]string // those set; the others have their defaults
	Tags            []workload.Tag
	CreatedAt       time.Time
	// ClassicARN is the Classic balancer that the group was made for: no call shows
	// it, and it goes with its balancer.
	ClassicARN string
	Version    int64
}

// HealthCheck says how a target's health is found out.
type HealthCheck struct {
	Enabled            bool
	Protocol           string // HTTP, HTTPS, TCP; of Classic ones also SSL
	Port               string // a number, or TrafficPort
	Path               string // of HTTP and HTTPS; of gRPC the method
	Interval, Timeout  int    // seconds
	Healthy, Unhealthy int    // thresholds
	Matcher            string // HTTP codes, or gRPC codes where the group speaks gRPC
}

// TrafficPort as HealthCheck.Port is the port that the target is registered with.
const TrafficPort = "traffic-port"

// Target is the registration of a target with a target group. It is written by
// RegisterTargets and DeregisterTargets, and for the tasks of services by plan/attach,
// which also removes it once it has drained.
type Target struct {
	Scope    arn.Scope
	GroupARN string
	ID       string // instance id, IP address, or the ARN of an Application balancer
	Port     int
	Zone     string // Availability Zone; EveryZone as it was given
	TaskARN  string // empty unless it is a service's
	Since    time.Time
	// DrainingSince is zero while the target gets new requests.
	DrainingSince time.Time
}

// EveryZone as the zone of a target stands for one outside the VPC.
const EveryZone = "all"

// Key is the primary key of a target, and of its health.
func (t *Target) Key() string { return TargetKey(t.GroupARN, t.ID, t.Port) }

// TargetKey is the key of a target of a group.
func TargetKey(group, id string, port int) string {
	return group + " " + id + " " + strconv.Itoa(port)
}

// State is the health of a target.
type State string

// States of a target.
const (
	Initial     State = "initial"
	Healthy     State = "healthy"
	Unhealthy   State = "unhealthy"
	Unused      State = "unused"
	DrainingOut State = "draining"
	Unavailable State = "unavailable"
)

// Health is what edges saw of a target. A target without a record is Initial (or
// Unused, when no listener leads to its group).
type Health struct {
	Target  string            // Target.Key: primary key
	Reports map[string]Report // by edge
}

// Report is what one edge saw of a target.
type Report struct {
	State  State  // Initial, Healthy, Unhealthy or Unavailable
	Reason string // as the API codes it: Target.Timeout, Target.ResponseCodeMismatch, Target.FailedHealthChecks, Elb.InitialHealthChecking, ...
	Detail string // as the API words it
	At     time.Time
	// Idle is true once a draining target has no request in flight any more.
	Idle bool
}
