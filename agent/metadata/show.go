package metadata

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/workload"
)

// shownTask is the JSON of a task. Members marked 4 are only in version 4.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html
type shownTask struct {
	Cluster                 string
	TaskARN                 string
	Family                  string
	Revision                string
	DesiredStatus           string `json:",omitempty"`
	KnownStatus             string
	Limits                  *shownLimits      `json:",omitempty"`
	PullStartedAt           *time.Time        `json:",omitempty"`
	PullStoppedAt           *time.Time        `json:",omitempty"`
	ExecutionStoppedAt      *time.Time        `json:",omitempty"`
	AvailabilityZone        string            `json:",omitempty"`
	TaskTags                map[string]string `json:",omitempty"`
	ContainerInstanceTags   map[string]string `json:",omitempty"`
	LaunchType              string            `json:",omitempty"` // 4
	Containers              []shownContainer  `json:",omitempty"`
	VPCID                   string            `json:",omitempty"` // 4
	ServiceName             string            `json:",omitempty"` // 4
	ClockDrift              *shownClock       `json:",omitempty"` // 4
	EphemeralStorageMetrics *shownStorage     `json:",omitempty"` // 4
	FaultInjectionEnabled   *bool             `json:",omitempty"` // 4
}

type shownLimits struct {
	CPU    *float64 `json:",omitempty"` // vCPU
	Memory *int     `json:",omitempty"` // MiB
}

type shownClock struct {
	ReferenceTimestamp         time.Time
	ClockErrorBound            float64 // milliseconds
	ClockSynchronizationStatus string
}

type shownStorage struct {
	Utilized int64 // MiB
	Reserved int64
}

// shownContainer is the JSON of a container.
type shownContainer struct {
	DockerId      string //nolint:revive // the wire's name
	Name          string
	DockerName    string
	Image         string
	ImageID       string
	Ports         []shownPort       `json:",omitempty"`
	Labels        map[string]string `json:",omitempty"`
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int                `json:",omitempty"`
	Limits        shownContainerLimit // always there
	CreatedAt     *time.Time          `json:",omitempty"`
	StartedAt     *time.Time          `json:",omitempty"`
	FinishedAt    *time.Time          `json:",omitempty"`
	Type          string
	Health        *shownHealth      `json:",omitempty"`
	Volumes       []shownVolume     `json:",omitempty"`
	LogDriver     string            `json:",omitempty"` // 4
	LogOptions    map[string]string `json:",omitempty"` // 4
	ContainerARN  string            `json:",omitempty"` // 4
	Networks      []shownNetwork    `json:",omitempty"`
	Snapshotter   string            `json:",omitempty"` // 4
	RestartCount  *int              `json:",omitempty"` // 4
}

type shownContainerLimit struct {
	CPU    int // units
	Memory int // MiB
}

type shownPort struct {
	ContainerPort int    `json:",omitempty"`
	Protocol      string `json:",omitempty"`
	HostPort      int    `json:",omitempty"`
	HostIp        string `json:",omitempty"` //nolint:revive // the wire's name
}

type shownHealth struct {
	Status   string     `json:"status,omitempty"`
	Since    *time.Time `json:"statusSince,omitempty"`
	ExitCode int        `json:"exitCode,omitempty"`
	Output   string     `json:"output,omitempty"`
}

type shownVolume struct {
	DockerName  string `json:",omitempty"`
	Source      string `json:",omitempty"`
	Destination string `json:",omitempty"`
}

type shownNetwork struct {
	NetworkMode              string
	IPv4Addresses            []string `json:",omitempty"`
	AttachmentIndex          *int     `json:",omitempty"` // the rest is 4, awsvpc
	MACAddress               string   `json:",omitempty"`
	IPv4SubnetCIDRBlock      string   `json:",omitempty"`
	DomainNameServers        []string `json:",omitempty"`
	DomainNameSearchList     []string `json:",omitempty"`
	PrivateDNSName           string   `json:",omitempty"`
	SubnetGatewayIpv4Address string   `json:",omitempty"` //nolint:revive // the wire's name
}

func (v version) task(t *Task, now time.Time, tags bool) shownTask {
	o := t.Order
	shown := shownTask{
		Cluster: o.ClusterName, TaskARN: o.ARN, Family: o.Family, Revision: strconv.Itoa(o.Revision),
		DesiredStatus: t.DesiredStatus, KnownStatus: t.KnownStatus, Limits: limitsOf(t), AvailabilityZone: t.Zone,
		PullStartedAt: when(t.PullStartedAt), PullStoppedAt: when(t.PullStoppedAt), ExecutionStoppedAt: when(t.ExecutionStoppedAt),
	}
	if o.LaunchType == workload.Fargate {
		shown.Cluster = o.ClusterARN
	}
	if tags {
		shown.TaskTags, shown.ContainerInstanceTags = t.Tags, t.InstanceTags
	}
	for i := range t.Containers {
		shown.Containers = append(shown.Containers, v.container(t, &t.Containers[i]))
	}
	if v >= 4 {
		shown.LaunchType, shown.ServiceName = string(launchType(o)), o.ServiceName
		shown.FaultInjectionEnabled = &o.EnableFaultInjection
		if o.Interface != nil {
			shown.VPCID = o.Interface.VPCID
		}
		if o.LaunchType == workload.Fargate {
			shown.ClockDrift = &shownClock{ReferenceTimestamp: now.UTC(), ClockSynchronizationStatus: "SYNCHRONIZED"}
			shown.EphemeralStorageMetrics = &shownStorage{Utilized: t.StorageUsed, Reserved: 1024 * int64(o.EphemeralStorageGiB)}
		}
	}
	return shown
}

func limitsOf(t *Task) *shownLimits {
	if t.Order.CPU == 0 && t.Order.Memory == 0 {
		return nil
	}
	l := &shownLimits{}
	if cpu := float64(t.Order.CPU) / 1024; cpu > 0 {
		l.CPU = &cpu
	}
	if memory := t.Order.Memory; memory > 0 {
		l.Memory = &memory
	}
	return l
}

func (v version) container(t *Task, c *Container) shownContainer {
	shown := shownContainer{
		DockerId: c.RuntimeID, Name: c.Name, DockerName: c.RuntimeName, Image: c.Image, ImageID: c.ImageID,
		Labels: labels(t, c), DesiredStatus: c.DesiredStatus, KnownStatus: c.KnownStatus, ExitCode: c.ExitCode,
		CreatedAt: when(c.CreatedAt), StartedAt: when(c.StartedAt), FinishedAt: when(c.FinishedAt), Type: "NORMAL",
	}
	for _, b := range c.Bindings {
		shown.Ports = append(shown.Ports, shownPort{ContainerPort: b.ContainerPort, Protocol: b.Protocol, HostPort: b.HostPort, HostIp: b.BindIP})
	}
	for _, m := range c.Volumes {
		shown.Volumes = append(shown.Volumes, shownVolume{DockerName: m.Name, Source: m.Source, Destination: m.Destination})
	}
	if h := c.Health; h != nil {
		shown.Health = &shownHealth{Status: h.Status, Since: when(h.Since), ExitCode: h.ExitCode, Output: h.Output}
	}
	defined := t.Order.Container(c.Name)
	if defined != nil {
		shown.Limits.CPU = defined.CPU
		if defined.Memory != nil {
			shown.Limits.Memory = *defined.Memory
		}
	}
	shown.Networks = v.networks(t, c)
	if v >= 4 {
		shown.LogDriver, shown.LogOptions, shown.RestartCount = c.LogDriver, c.LogOptions, c.RestartCount
		shown.Snapshotter = "overlayfs"
		if defined != nil {
			shown.ContainerARN = defined.ARN
		}
	}
	return shown
}

// labels are the user's and the ECS agent's own.
func labels(t *Task, c *Container) map[string]string {
	all := map[string]string{
		"com.amazonaws.ecs.cluster":                 t.Order.ClusterName,
		"com.amazonaws.ecs.container-name":          c.Name,
		"com.amazonaws.ecs.task-arn":                t.Order.ARN,
		"com.amazonaws.ecs.task-definition-family":  t.Order.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(t.Order.Revision),
	}
	maps.Copy(all, c.Labels)
	return all
}

func (v version) networks(t *Task, c *Container) []shownNetwork {
	n := shownNetwork{NetworkMode: string(t.Order.NetworkMode)}
	if c.Address != "" {
		n.IPv4Addresses = []string{c.Address}
	}
	if i := t.Order.Interface; i != nil {
		n.IPv4Addresses = []string{i.PrivateIP}
		if v >= 4 {
			first := 0
			n.AttachmentIndex, n.MACAddress, n.IPv4SubnetCIDRBlock, n.PrivateDNSName = &first, i.MAC, i.SubnetCIDR, i.PrivateDNSName
			if vpc, err := netip.ParsePrefix(i.VPCCIDR); err == nil {
				n.DomainNameServers = []string{network.VPCResolver(vpc).String()}
			}
			n.SubnetGatewayIpv4Address = i.Gateway + "/" + strconv.Itoa(i.PrefixLength)
			n.DomainNameSearchList = slices.DeleteFunc([]string{domainOf(i.PrivateDNSName)}, func(s string) bool { return s == "" })
		}
	}
	return []shownNetwork{n}
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
