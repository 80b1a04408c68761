package task

import (
	"time"

	"github.com/berthhq/berth/domain/workload"
)

// Isolation is the boundary a task runs behind.
type Isolation string

// Isolations.
const (
	// Namespaces share the host's kernel: the EC2 launch type.
	Namespaces Isolation = "namespaces"
	// Sandbox gives the task a kernel surface of its own: Fargate.
	Sandbox Isolation = "sandbox"
)

// Order is all an agent needs to run a task. It is made by NewOrder from the
// stored task, its definition and its interface, and never changes once given,
// except for Desired and the credentials' expiry.
type Order struct {
	ARN         string
	ID          string
	ClusterARN  string
	ClusterName string
	Region      string
	Account     string
	Family      string
	Revision    int
	Group       string
	ServiceName string
	LaunchType  workload.LaunchType
	Isolation   Isolation
	Desired     Status // Running or Stopped

	// Containers are the definition's with the overrides applied.
	Containers []OrderContainer
	Volumes    []workload.Volume

	NetworkMode workload.NetworkMode // never empty
	Interface   *Interface           // awsvpc only
	PIDMode     string
	IPCMode     string

	// CPU (units) and Memory (MiB) bound the task as a whole; 0 means no bound.
	CPU    int
	Memory int
	// GPUs are the devices that were taken for the task.
	GPUs []string

	RuntimePlatform     *workload.RuntimePlatform
	EphemeralStorageGiB int

	TaskRole      *Credentials // nil when the definition names no role
	ExecutionRole *Credentials

	// LogMode is the account's default awslogs mode; empty means non-blocking.
	LogMode              string
	EnableFaultInjection bool
	EnableExecuteCommand bool
}

// OrderContainer is one container to run.
type OrderContainer struct {
	workload.Container
	ARN  string
	ID   string // the last part of ARN
	GPUs []string
}

// Interface is the address a task owns in its VPC.
type Interface struct {
	ID             string
	MAC            string
	PrivateIP      string
	PrefixLength   int    // of the subnet
	Gateway        string // first address of the subnet
	SubnetID       string
	SubnetCIDR     string
	VPCID          string
	VPCCIDR        string
	Zone           string
	PrivateDNSName string
	PublicIP       string // empty when none
	SecurityGroups []SecurityGroup
}

// SecurityGroup carries the rules that apply to an interface.
type SecurityGroup struct {
	ID      string
	Ingress []Rule
	Egress  []Rule
}

// Rule admits traffic to or from CIDRs, or the members of a peer group: they come
// and go, and the agent knows those of its machine.
type Rule struct {
	Protocol string // "tcp", "udp", "icmp" or "-1"
	FromPort int
	ToPort   int
	CIDRs    []string
	Group    string // id of the peer group; empty for none
}

// Credentials are a role's keys, served to the task at the metadata address under
// their id. The id is the only secret of that address: it is unguessable.
type Credentials struct {
	ID              string
	RoleARN         string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// Container finds a container of the order.
func (o *Order) Container(name string) *OrderContainer {
	for i := range o.Containers {
		if o.Containers[i].Name == name {
			return &o.Containers[i]
		}
	}
	return nil
}

// Observation is one report of an agent: what SubmitTaskStateChange carries. It
// may list a container twice (RUNNING, then STOPPED); entries apply in order.
type Observation struct {
	TaskARN                                          string
	Status                                           Status // Pending, Running or Stopped; 0 when only containers changed
	Reason                                           string
	StopCode                                         string // empty when the agent's dialect has none
	Containers                                       []ContainerObservation
	PullStartedAt, PullStoppedAt, ExecutionStoppedAt time.Time
}

// ContainerObservation is what the agent says of one container.
type ContainerObservation struct {
	Name         string
	Status       string
	RuntimeID    string
	ImageDigest  string
	ExitCode     *int
	Reason       string
	Bindings     []Binding
	RestartCount int
}
