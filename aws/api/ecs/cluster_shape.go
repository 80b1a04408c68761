package ecs

import (
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// everything is what Create, Update and Delete answers include. Statistics are
// only shown by DescribeClusters.
func everything() []ecs.ClusterField {
	return []ecs.ClusterField{ecs.ClusterFieldTags, ecs.ClusterFieldSettings, ecs.ClusterFieldConfigurations, ecs.ClusterFieldAttachments}
}

func showCluster(r store.Reader, c *cluster.Cluster, include []ecs.ClusterField) *ecs.Cluster {
	n := count(r, c)
	out := &ecs.Cluster{
		ClusterArn: &c.ARN, ClusterName: &c.Name, Status: &c.Status,
		RegisteredContainerInstancesCount: int32Of(n.instances),
		RunningTasksCount:                 int32Of(n.running[workload.EC2] + n.running[workload.Fargate]),
		PendingTasksCount:                 int32Of(n.pending[workload.EC2] + n.pending[workload.Fargate]),
		ActiveServicesCount:               int32Of(n.services),
		Statistics:                        []ecs.KeyValuePair{}, Tags: []ecs.Tag{}, Settings: []ecs.ClusterSetting{},
		CapacityProviders:               member.Each(c.CapacityProviders, func(s *string) string { return *s }),
		DefaultCapacityProviderStrategy: member.Each(c.DefaultStrategy, showStrategyItem),
	}
	if contains(include, ecs.ClusterFieldStatistics) {
		out.Statistics = n.statistics()
	}
	if contains(include, ecs.ClusterFieldTags) {
		out.Tags = showTags(c.Tags)
	}
	if contains(include, ecs.ClusterFieldSettings) {
		out.Settings = member.Each(c.Settings, func(s *workload.KeyValue) ecs.ClusterSetting {
			return ecs.ClusterSetting{Name: ecs.ClusterSettingName(s.Name), Value: &s.Value}
		})

	}
	if contains(include, ecs.ClusterFieldConfigurations) {
		out.Configuration = showClusterConfiguration(c.Configuration)
	}
	if contains(include, ecs.ClusterFieldAttachments) {
		showClusterAttachments(r, c, out)
	}
	if c.ServiceConnectNamespace != "" {
		out.ServiceConnectDefaults = &ecs.ClusterServiceConnectDefaults{Namespace: &c.ServiceConnectNamespace}
	}
	return out
}

// What ECS attaches to a cluster for a capacity provider, and the words that name
// it.
const (
	attachedScaling  = "as_policy"
	attachedDraining = "managed_draining"
	scalingPolicy    = "ECSManagedAutoScalingPolicy-"
	drainingHook     = "ecs-managed-draining-termination-hook"
	attachmentMade   = "CREATED"
	attachmentsDone  = "UPDATE_COMPLETE"
)

// showClusterAttachments adds what belongs to the cluster's Auto Scaling groups.
func showClusterAttachments(r store.Reader, c *cluster.Cluster, out *ecs.Cluster) {
	for _, name := range c.CapacityProviders {
		p, ok := findProvider(r, c.Scope, name)
		if !ok || p.AutoScaling == nil {
			continue
		}
		out.AttachmentsStatus = new(attachmentsDone)
		if p.AutoScaling.ManagedScaling.Status == cluster.Enabled {
			out.Attachments = append(out.Attachments, providerAttachment(p, &p.ScalingID, attachedScaling, "scalingPolicyName", scalingPolicy+p.ScalingID))
		}
		if p.AutoScaling.ManagedDraining == cluster.Enabled {
			out.Attachments = append(out.Attachments, providerAttachment(p, &p.DrainingID, attachedDraining, "autoScalingLifecycleHookName", drainingHook))
		}
	}
}

func providerAttachment(p *cluster.CapacityProvider, id *string, kind, what, name string) ecs.Attachment {
	return ecs.Attachment{
		Id: id, Type: &kind, Status: new(attachmentMade),
		Details: []ecs.KeyValuePair{{Name: new("capacityProviderName"), Value: &p.Name}, {Name: &what, Value: &name}},
	}
}

// counts are a cluster's numbers; tasks by launch type.
type counts struct {
	instances, services int // services that are active
	running, pending    map[workload.LaunchType]int
	active, draining    map[ecs.LaunchType]int // services
}

func count(r store.Reader, c *cluster.Cluster) counts {
	n := counts{
		running: map[workload.LaunchType]int{}, pending: map[workload.LaunchType]int{},
		active: map[ecs.LaunchType]int{}, draining: map[ecs.LaunchType]int{},
	}
	for s := range store.Services.By(r, store.ServicesByCluster, c.ARN) {
		switch s.Status {
		case service.Active:
			n.services++
			n.active[launchTypeOf(s)]++
		case service.Draining:
			n.draining[launchTypeOf(s)]++
		}
	}
	for i := range store.Instances.By(r, store.InstancesByCluster, c.ARN) {
		if i.OffersEC2 && i.DeregisteredAt.IsZero() {
			n.instances++
		}
	}
	for t := range store.Tasks.By(r, store.TasksByCluster, store.ClusterTasks(c.ARN, task.Running)) {
		if t.LastStatus() == task.Running {
			n.running[t.Spec.LaunchType]++
		} else {
			n.pending[t.Spec.LaunchType]++
		}
	}
	return n
}

func (n counts) statistics() []ecs.KeyValuePair {
	var out []ecs.KeyValuePair
	for _, s := range []struct {
		name  string
		value int
	}{
		{"runningEC2TasksCount", n.running[workload.EC2]},
		{"runningFargateTasksCount", n.running[workload.Fargate]},
		{"pendingEC2TasksCount", n.pending[workload.EC2]},
		{"pendingFargateTasksCount", n.pending[workload.Fargate]},
		{"activeEC2ServiceCount", n.active[ecs.LaunchTypeEc2]}, {"activeFargateServiceCount", n.active[ecs.LaunchTypeFargate]},
		{"drainingEC2ServiceCount", n.draining[ecs.LaunchTypeEc2]}, {"drainingFargateServiceCount", n.draining[ecs.LaunchTypeFargate]},
	} {
		out = append(out, ecs.KeyValuePair{Name: &s.name, Value: new(strconv.Itoa(s.value))})
	}
	return out
}

// readClusterSettings checks cluster settings; nil means none were given.
func readClusterSettings(in []ecs.ClusterSetting) ([]workload.KeyValue, error) {
	var out []workload.KeyValue
	for _, s := range in {
		if s.Name != ecs.ClusterSettingNameContainerInsights {
			return nil, invalid("setting name should be one of [containerInsights]")
		}
		if !slices.Contains([]string{"enabled", "disabled", "enhanced"}, member.Value(s.Value)) {
			return nil, invalid("Invalid value for setting containerInsights. The value should be one of [enhanced,enabled,disabled]")
		}
		out = append(out, workload.KeyValue{Name: string(s.Name), Value: member.Value(s.Value)})
	}
	return out, nil
}

func mergeSettings(have, said []workload.KeyValue) []workload.KeyValue {
	out := slices.Clone(have)
	for _, s := range said {
		i := slices.IndexFunc(out, func(x workload.KeyValue) bool { return x.Name == s.Name })
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i] = s
	}
	return out
}

func readClusterConfiguration(in *ecs.ClusterConfiguration) (*cluster.Configuration, error) {
	if in == nil {
		return nil, nil
	}
	out := &cluster.Configuration{}
	if m := in.ManagedStorageConfiguration; m != nil {
		out.ManagedStorage = &cluster.ManagedStorageConfiguration{
			KMSKeyID: member.Value(m.KmsKeyId), FargateEphemeralStorageKMSKeyID: member.Value(m.FargateEphemeralStorageKmsKeyId),
		}
	}
	e := in.ExecuteCommandConfiguration
	if e == nil {
		return out, nil
	}
	out.ExecuteCommand = &cluster.ExecuteCommandConfiguration{KMSKeyID: member.Value(e.KmsKeyId), Logging: string(e.Logging)}
	if !slices.Contains([]string{"", "NONE", "DEFAULT", "OVERRIDE"}, string(e.Logging)) {
		return nil, invalid("logging should be one of [NONE,DEFAULT,OVERRIDE]")
	}
	override := e.Logging == ecs.ExecuteCommandLoggingOverride
	if e.LogConfiguration != nil && !override {
		return nil, invalid("You must set logging to 'OVERRIDE' when you supply a log configuration.")
	}
	if override && (e.LogConfiguration == nil || e.LogConfiguration.CloudWatchLogGroupName == nil && e.LogConfiguration.S3BucketName == nil) {
		return nil, invalid("A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.")
	}
	if l := e.LogConfiguration; l != nil {
		out.ExecuteCommand.Log = &cluster.ExecuteCommandLog{
			CloudWatchLogGroup: member.Value(l.CloudWatchLogGroupName), CloudWatchEncryption: l.CloudWatchEncryptionEnabled,
			S3Bucket: member.Value(l.S3BucketName), S3Encryption: l.S3EncryptionEnabled, S3KeyPrefix: member.Value(l.S3KeyPrefix),
		}
	}
	return out, nil
}

func showClusterConfiguration(c *cluster.Configuration) *ecs.ClusterConfiguration {
	if c == nil {
		return nil
	}
	out := &ecs.ClusterConfiguration{}
	if m := c.ManagedStorage; m != nil {
		out.ManagedStorageConfiguration = &ecs.ManagedStorageConfiguration{
			KmsKeyId: member.Present(m.KMSKeyID), FargateEphemeralStorageKmsKeyId: member.Present(m.FargateEphemeralStorageKMSKeyID),
		}
	}
	e := c.ExecuteCommand
	if e == nil {
		return out
	}
	out.ExecuteCommandConfiguration = &ecs.ExecuteCommandConfiguration{KmsKeyId: member.Present(e.KMSKeyID), Logging: ecs.ExecuteCommandLogging(e.Logging)}
	if l := e.Log; l != nil {
		out.ExecuteCommandConfiguration.LogConfiguration = &ecs.ExecuteCommandLogConfiguration{
			CloudWatchLogGroupName: member.Present(l.CloudWatchLogGroup), CloudWatchEncryptionEnabled: l.CloudWatchEncryption,
			S3BucketName: member.Present(l.S3Bucket), S3EncryptionEnabled: l.S3Encryption, S3KeyPrefix: member.Present(l.S3KeyPrefix),
		}
	}
	return out
}
