// Package arn holds Amazon Resource Names and the ids inside them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
package arn

import (
	"fmt"
	"strconv"
	"strings"
)

// Scope says whose state is meant: berth keeps everything per account and region.
type Scope struct {
	Account string // twelve digits
	Region  string
}

// ARN is a parsed Amazon Resource Name.
type ARN struct {
	Partition string
	Service   string
	Region    string // empty for global services
	Account   string
	Resource  string // the rest: type/name or type:name
}

// Parse reads an ARN. Bad input gives an error that quotes it.
func Parse(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return ARN{}, fmt.Errorf("%q is not an ARN", s)
	}
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, nil
}

// IsARN tells whether s has the form of an ARN.
func IsARN(s string) bool { return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5 }

func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Scope is the account and region the ARN names.
func (a ARN) Scope() Scope { return Scope{Account: a.Account, Region: a.Region} }

// Kind is the resource type: "task" of "task/default/0123".
func (a ARN) Kind() string {
	kind, _, _ := strings.Cut(a.Resource, "/")
	kind, _, _ = strings.Cut(kind, ":")
	return kind
}

// Path is what follows the resource type, split at slashes:
// ["default", "0123"] of "task/default/0123".
func (a ARN) Path() []string {
	i := strings.IndexAny(a.Resource, "/:")
	if i < 0 {
		return nil
	}
	return strings.Split(a.Resource[i+1:], "/")
}

// Name is the last element of the path, the resource's own id or name.
func (a ARN) Name() string {
	p := a.Path()
	if len(p) == 0 {
		return a.Resource
	}
	return p[len(p)-1]
}

// NameOf is the Name of an ARN in text; what is no ARN is a name already.
func NameOf(s string) string {
	a, err := Parse(s)
	if err != nil {
		return s
	}
	return a.Name()
}

// UUID gives 32 hex digits the form of a random UUID.
func UUID(id string) string {
	return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-a" + id[17:20] + "-" + id[20:32]
}

// Number makes of 32 random hex digits a number of 19 decimal ones, as ids of
// deployments have.
func Number(id string) string {
	n, _ := strconv.ParseUint(id[:15], 16, 64) // 60 bits
	return strconv.FormatUint(1_000_000_000_000_000_000+n, 10)
}

func (s Scope) ecs(resource string) string {
	return ARN{Partition: Partition(s.Region), Service: "ecs", Region: s.Region, Account: s.Account, Resource: resource}.String()
}

// Of makes the ARN of a resource of a regional service.
func (s Scope) Of(service, resource string) string {
	return ARN{Partition: Partition(s.Region), Service: service, Region: s.Region, Account: s.Account, Resource: resource}.String()
}

// Global makes the ARN of a resource of a service without regions, such as IAM.
func (s Scope) Global(service, resource string) string {
	return ARN{Partition: Partition(s.Region), Service: service, Account: s.Account, Resource: resource}.String()
}

// Cluster is the ARN of the named cluster.
func (s Scope) Cluster(name string) string { return s.ecs("cluster/" + name) }

// Task is the long-format ARN of a task.
func (s Scope) Task(cluster, id string) string { return s.ecs("task/" + cluster + "/" + id) }

// Container is the ARN of a container of a task.
func (s Scope) Container(cluster, task, id string) string {
	return s.ecs("container/" + cluster + "/" + task + "/" + id)
}

// ContainerInstance is the long-format ARN of a container instance.
func (s Scope) ContainerInstance(cluster, id string) string {
	return s.ecs("container-instance/" + cluster + "/" + id)
}

// CapacityProvider is the ARN of the named capacity provider.
func (s Scope) CapacityProvider(name string) string { return s.ecs("capacity-provider/" + name) }

// TaskDefinition is the ARN of a revision of a family.
func (s Scope) TaskDefinition(family string, revision int) string {
	return s.ecs(fmt.Sprintf("task-definition/%s:%d", family, revision))
}

// Service is the long-format ARN of a service.
func (s Scope) Service(cluster, name string) string { return s.ecs("service/" + cluster + "/" + name) }

// ServiceDeployment is the ARN of a deployment of a service.
func (s Scope) ServiceDeployment(cluster, service, id string) string {
	return s.ecs("service-deployment/" + cluster + "/" + service + "/" + id)
}

// ServiceRevision is the ARN of a revision of a service; id is a decimal number.
func (s Scope) ServiceRevision(cluster, service, id string) string {
	return s.ecs("service-revision/" + cluster + "/" + service + "/" + id)
}

// TaskSet is the ARN of a task set of a service.
func (s Scope) TaskSet(cluster, service, id string) string {
	return s.ecs("task-set/" + cluster + "/" + service + "/" + id)
}

// Daemon is the ARN of a managed daemon.
func (s Scope) Daemon(cluster, name string) string { return s.ecs("daemon/" + cluster + "/" + name) }

// DaemonDeployment is the ARN of a deployment of a daemon.
func (s Scope) DaemonDeployment(cluster, daemon, id string) string {
	return s.ecs("daemon-deployment/" + cluster + "/" + daemon + "/" + id)
}

// DaemonRevision is the ARN of a revision of a daemon; id is a decimal number.
func (s Scope) DaemonRevision(cluster, daemon, id string) string {
	return s.ecs("daemon-revision/" + cluster + "/" + daemon + "/" + id)
}

// DaemonTaskDefinition is the ARN of a revision of a family of daemons.
func (s Scope) DaemonTaskDefinition(family string, revision int) string {
	return s.ecs(fmt.Sprintf("daemon-task-definition/%s:%d", family, revision))
}

// Partition is the AWS partition a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
