package service

import (
	"cmp"
	"strings"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Balancer is a load balancer that sends requests to a container.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html
type Balancer struct {
	GroupARN  string // of the target group; empty with a Classic balancer
	Classic   string // name of a Classic balancer
	Container string
	Port      int
	Advanced  *Advanced // nil when not given
}

// Advanced is what a deployment needs that shifts traffic.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
type Advanced struct {
	AlternateARN   string // target group of every other deployment
	ProductionRule string // ARN of a rule, or of the listener of a Network balancer
	TestRule       string // empty for none
	RoleARN        string
}

// Registry is a Cloud Map service that the tasks are found in.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRegistry.html
type Registry struct {
	ARN           string
	Port          int // 0 when not given
	Container     string
	ContainerPort int
}

// Connect is how the tasks find and are found by others of a namespace.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectConfiguration.html
type Connect struct {
	Enabled   bool
	Namespace string // name or ARN as it was given; empty for the cluster's default
	// NamespaceID is what that is in Cloud Map; empty unless Enabled.
	NamespaceID string
	Services    []ConnectService
	Log         *workload.LogConfiguration
	AccessLog   *ConnectAccessLog
	// LogLevels are of the proxy, one for each container configuration.
	LogLevels []string
}

// ConnectService is a port that others of the namespace may call.
type ConnectService struct {
	PortName        string // of a port mapping of the definition
	DiscoveryName   string // PortName when empty
	Aliases         []ConnectAlias
	IngressOverride *int
	Timeout         *ConnectTimeout
	TLS             *ConnectTLS
	// What PortName is in the definition, and the name in Cloud Map.
	Container     string
	ContainerPort int
	Protocol      string // appProtocol; empty for TCP
	RegistryARN   string
}

// ConnectAlias is a name and port that clients call.
type ConnectAlias struct {
	Port    int
	DNSName string // "DISCOVERY.NAMESPACE" when empty
	Test    *ConnectTest
}

// ConnectTest tells test traffic by a header.
type ConnectTest struct {
	Header string
	Exact  *string // nil for any value
}

// ConnectTimeout bounds connections and requests, in seconds.
type ConnectTimeout struct{ Idle, PerRequest *int }

// ConnectTLS says who issues the certificates.
type ConnectTLS struct{ AuthorityARN, KMSKey, RoleARN string }

// ConnectAccessLog is the form of the proxy's access log.
type ConnectAccessLog struct{ Format, Query string }

// Discovery is the name in the namespace.
func (s *ConnectService) Discovery() string {
	if s.DiscoveryName != "" {
		return s.DiscoveryName
	}
	return s.PortName
}

// Connected tells whether requests or names lead to the tasks of the template.
func (t *Template) Connected() bool { return len(t.Balancers)+len(t.Registries) > 0 }

// Groups are the target groups of a deployment: of every other one that shifts
// traffic the alternate ones.
func (t *Template) Groups(alternate bool) []string {
	var all []string
	for i := range t.Balancers {
		if b := &t.Balancers[i]; b.GroupARN != "" {
			all = append(all, b.group(alternate))
		}
	}
	return all
}

func (b *Balancer) group(alternate bool) string {
	if alternate && b.Advanced != nil && b.Advanced.AlternateARN != "" {
		return b.Advanced.AlternateARN
	}
	return b.GroupARN
}

// Links are what a task of the template is to be registered with.
func (t *Template) Links(alternate bool) []task.Link {
	var all []task.Link
	for i := range t.Balancers {
		b := &t.Balancers[i]
		all = append(all, task.Link{GroupARN: b.group(alternate), Classic: b.Classic, Container: b.Container, Port: b.Port})
	}
	for _, r := range t.Registries {
		all = append(all, task.Link{RegistryARN: r.ARN, Container: r.Container, Port: r.ContainerPort, Said: r.Port})
	}
	if t.Connects() == "" {
		return all
	}
	for _, s := range t.Connect.Services {
		all = append(all, task.Link{RegistryARN: s.RegistryARN, Container: s.Container, Port: s.ContainerPort, Door: s.door()})
	}
	return all
}

// Called is how others call what the service lets them, in a namespace of the name.
func (s *ConnectService) Called(namespace, owner string) *discovery.Connect {
	alias := s.Aliases[0]
	out := &discovery.Connect{
		Owner: owner, Port: alias.Port, Protocol: s.Protocol,
		Alias: strings.ToLower(cmp.Or(alias.DNSName, s.Discovery()+"."+strings.TrimSuffix(namespace, "."))),
	}
	if t := s.Timeout; t != nil {
		out.Idle, out.Request = t.Idle, t.PerRequest
	}
	return out
}

// door is the port of a task's address where it is called, if it is another than the
// container's.
func (s *ConnectService) door() int {
	if s.IngressOverride == nil || *s.IngressOverride == s.ContainerPort {
		return 0
	}
	return *s.IngressOverride
}

// Connects is the id of the namespace whose services the tasks may call by Service
// Connect; empty for none.
func (t *Template) Connects() string {
	if t.Connect == nil || !t.Connect.Enabled {
		return ""
	}
	return t.Connect.NamespaceID
}
