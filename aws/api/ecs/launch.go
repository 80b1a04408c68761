package ecs

import (
	"cmp"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// launch is a checked request for tasks: what they have in common.
type launch struct {
	cluster    *cluster.Cluster
	definition *workload.Definition
	spec       task.Spec // without CapacityProvider and Containers
	providers  []string  // for each task its capacity provider, empty when launched by type
	tags       []workload.Tag
}

// request is what RunTask and StartTask share.
type request struct {
	group, startedBy, referenceID *string
	overrides                     *ecs.TaskOverride
	network                       *ecs.NetworkConfiguration
	managedTags, exec             *bool
	propagate                     ecs.PropagateTags
	tags                          []ecs.Tag
	volumes                       []ecs.TaskVolumeConfiguration
}

// prepare checks what both calls share. launchType is decided by the caller
// before, as the network rules depend on it.
func (q *request) prepare(v store.Reader, call *gateway.Call, c *cluster.Cluster, def *workload.Definition, launchType workload.LaunchType) (*launch, error) {
	l := &launch{cluster: c, definition: def}
	var err error
	if l.tags, err = q.taskTags(def, c); err != nil {
		return nil, err
	}
	l.spec = task.Spec{
		ClusterARN: c.ARN, DefinitionARN: def.ARN, LaunchType: launchType,
		Group: cmp.Or(member.Value(q.group), "family:"+def.Family), StartedBy: member.Value(q.startedBy), ReferenceID: member.Value(q.referenceID),
		EnableExecuteCommand: member.Value(q.exec), EnableECSManagedTags: member.Value(q.managedTags),
	}
	if err = checkWords(&l.spec, q.group != nil); err != nil {
		return nil, err
	}
	if l.spec.Overrides, err = readOverrides(call, q.overrides, def); err != nil {
		return nil, err
	}
	if l.spec.NetworkConfiguration, err = readNetwork(v, call.Scope, q.network, def, launchType); err != nil {
		return nil, err
	}
	if l.spec.Namespace, err = calledBy(v, call.Scope, l.tags, def); err != nil {
		return nil, err
	}
	if err = checkRunnable(def, q.volumes); err != nil {
		return nil, err
	}
	return l, l.size(def)
}

// checkRoles refuses a run whose tasks could not become their roles.
func (a *API) checkRoles(r store.Reader, l *launch) error {
	if a.assume == nil {
		return nil
	}
	for _, role := range []string{l.spec.TaskRole(l.definition), l.spec.ExecutionRole(l.definition)} {
		if role == "" {
			continue
		}
		if _, err := a.assume(r, role, l.cluster.ARN); err != nil {
			return client("%s", task.RoleRefused(role)).WithHint("%v", err)
		}
	}
	return nil
}

// size settles the task's size: the override's, else the definition's. Fargate
// only has certain sizes, whoever names them.
func (l *launch) size(def *workload.Definition) error {
	o := &l.spec.Overrides
	l.spec.CPU, l.spec.Memory = cmp.Or(o.CPU, def.CPU), cmp.Or(o.Memory, def.Memory)
	l.spec.EphemeralStorageGiB = cmp.Or(o.EphemeralStorageGiB, def.EphemeralStorageGiB)
	if l.spec.LaunchType != workload.Fargate {
		if o.EphemeralStorageGiB != 0 {
			return invalid("Ephemeral storage can only be overridden for tasks hosted on Fargate.")
		}
		return nil
	}
	l.spec.EphemeralStorageGiB = cmp.Or(l.spec.EphemeralStorageGiB, defaultEphemeralStorage)
	cpu, _ := workload.ParseCPU(l.spec.CPU)
	memory, _ := workload.ParseMemory(l.spec.Memory)
	if !workload.IsFargateSize(cpu, memory) {
		return invalid("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
	}
	return nil
}

// defaultEphemeralStorage is what a Fargate task has without asking, in GiB.
const defaultEphemeralStorage = 20

// servicePrefix begins the group of the tasks of a service.
const servicePrefix = service.GroupPrefix

// cutService is the service that a group names.
func cutService(group string) (name string, ok bool) { return strings.CutPrefix(group, servicePrefix) }

func checkWords(s *task.Spec, ownGroup bool) error {
	notWord := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_/.:@ ", r)
	}
	switch {
	case len(s.StartedBy) > 128:
		return invalid("startedBy can have at most 128 characters.")
	case strings.ContainsFunc(s.StartedBy, notWord):
		return invalid("startedBy contains invalid characters.")
	case len(s.Group) > 255:
		return invalid("group can have at most 255 characters.")
	case ownGroup && (strings.HasPrefix(s.Group, servicePrefix) || daemon.Owns(s.Group)):
		return invalid("Invalid namespace for group.").WithHint("groups that begin with '%s' or '%s' belong to services and daemons", servicePrefix, daemon.GroupPrefix)
	case len(s.ReferenceID) > 1024:
		return invalid("referenceId can have at most 1024 characters.")
	}
	return nil
}

func (q *request) taskTags(def *workload.Definition, c *cluster.Cluster) ([]workload.Tag, error) {
	tags, err := readTags(q.tags)
	if err != nil {
		return nil, err
	}
	switch q.propagate {
	case "", ecs.PropagateTagsNone:
	case ecs.PropagateTagsTaskDefinition:
		tags = workload.SetTags(def.Tags, tags)
	default:
		return nil, invalid("propagateTags should be one of [TASK_DEFINITION,NONE]")
	}
	if err := checkTagCount(tags); err != nil {
		return nil, err
	}
	if member.Value(q.managedTags) {
		tags = append(tags, workload.Tag{Key: "aws:ecs:clusterName", Value: c.Name})
	}
	return tags, nil
}

// checkRunnable refuses, clearly, what a definition may hold but nothing here can
// run yet.
func checkRunnable(def *workload.Definition, volumes []ecs.TaskVolumeConfiguration) error {
	notYet := func(what string) error {
		return fault.New(fault.UnsupportedFeature, "%s are not supported yet.", what)
	}
	if len(volumes) > 0 {
		return notYet("Volumes configured at launch (Amazon EBS)")
	}
	for _, v := range def.Volumes {
		switch {
		case member.Value(v.ConfiguredAtLaunch):
			return notYet("Volumes configured at launch (Amazon EBS)")
		case v.EFS != nil:
			return notYet("Amazon EFS volumes")
		case v.FSx != nil:
			return notYet("FSx for Windows File Server volumes")
		case v.S3Files != nil:
			return notYet("S3 Files volumes")
		}
	}
	if p := def.RuntimePlatform; p != nil && strings.HasPrefix(p.OperatingSystemFamily, "WINDOWS") {
		return notYet("Windows containers")
	}
	return nil
}

// launchable finds the definition a run names.
func launchable(r store.Reader, call *gateway.Call, ref *string) (*workload.Definition, error) {
	at, err := readRevision(call.Scope, member.Value(ref))
	if err != nil {
		return nil, err
	}
	d, ok := findDefinition(r, call.Scope, at)
	switch {
	case !ok:
		return nil, client("TaskDefinition not found.")
	case d.Status != workload.Active:
		return nil, client("TaskDefinition is inactive")
	}
	return d, nil
}

// newTask makes one task of the launch. n is its place among them.
func (a *API) newTask(call *gateway.Call, l *launch, n int) *task.Task {
	t := task.New(call.Scope, l.cluster.Name, a.newID(), l.spec, l.definition, a.uuid, call.Now)
	t.Tags = l.tags
	if n < len(l.providers) {
		t.Spec.CapacityProvider = l.providers[n]
	}
	return t
}
