// Package discovery holds what AWS Cloud Map knows: namespaces, services and their
// instances, and the names that follow from them and from load balancers.
// https://docs.aws.amazon.com/cloud-map/latest/dg/what-is-cloud-map.html
package discovery

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Kinds of namespaces.
const (
	HTTP       = "HTTP"
	DNSPrivate = "DNS_PRIVATE"
	DNSPublic  = "DNS_PUBLIC"
)

// Namespace is a set of services under one name.
type Namespace struct {
	Scope        arn.Scope
	ID           string // ns-...; primary key with scope
	ARN          string
	Name         string
	Kind         string
	Description  string
	VPCID        string // of DNSPrivate: who may ask
	HostedZoneID string // of the DNS kinds
	TTL          int64  // of the SOA record
	Token        string // creator request id
	Tags         []workload.Tag
	CreatedAt    time.Time
}

// Service is a name of a namespace.
type Service struct {
	Scope       arn.Scope
	ID          string // srv-...; primary key with scope
	ARN         string
	NamespaceID string
	Name        string
	Description string
	Kind        string // HTTP, DNS_HTTP or DNS
	DNS         *DNS   // nil for none
	Health      *HealthCheck
	CustomCheck *CustomCheck
	Attributes  map[string]string
	Connect     *Connect // nil unless Service Connect's clients call it
	Token       string
	Tags        []workload.Tag
	CreatedAt   time.Time
	// Revision rises when an instance comes, changes or goes; store.PutDiscovered and
	// store.DeleteDiscovered see to it.
	Revision int64
}

// DNS says which records a service's instances get.
type DNS struct {
	Routing string // MULTIVALUE or WEIGHTED
	Records []Record
}

// Record is a type of record and its time to live in seconds.
type Record struct {
	Type string // A, AAAA, SRV, CNAME
	TTL  int64
}

// HealthCheck is a Route 53 health check: of public namespaces.
type HealthCheck struct {
	Type, Path string
	Threshold  int
}

// CustomCheck lets somebody else say how healthy instances are.
type CustomCheck struct{ Threshold int }

// Instance is a place where a service is found.
type Instance struct {
	Scope      arn.Scope
	ServiceID  string
	ID         string // primary key with scope and ServiceID
	Attributes map[string]string
	Token      string
	TaskARN    string // empty unless it is a task of an ECS service
	// Unhealthy is what UpdateInstanceCustomHealthStatus, or ECS for its tasks, said
	// last; an instance begins healthy.
	Unhealthy bool
	CreatedAt time.Time
}

// Operation is the record of something that was asked, done by the time it is seen.
type Operation struct {
	Scope     arn.Scope
	ID        string // primary key with scope
	Type      string
	Targets   map[string]string
	CreatedAt time.Time
	Error     string // code; empty for success
	Message   string
}
