package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func checkDaemonName(name string) error {
	switch {
	case name == "":
		return invalid("Daemon name should not be null or empty.")
	case len(name) > 255 || !isName(name):
		return invalid("Daemon name contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	}
	return nil
}

// readDaemon reads what a new revision runs, and how it is deployed.
func readDaemon(r store.Reader, call *gateway.Call, c *cluster.Cluster, in *ecs.CreateDaemonRequest) (daemon.Spec, daemon.Configuration, error) {
	spec := daemon.Spec{
		PropagateTags: in.PropagateTags == ecs.DaemonPropagateTagsDaemon, ManagedTags: member.Value(in.EnableECSManagedTags),
		ExecuteCommand: member.Value(in.EnableExecuteCommand), Critical: in.Critical == nil || *in.Critical,
	}
	config, err := readDaemonConfiguration(in.DeploymentConfiguration)
	if err != nil {
		return spec, config, err
	}
	if p := in.PropagateTags; p != "" && !slices.Contains(p.Values(), string(p)) {
		return spec, config, invalid("propagateTags should be one of [DAEMON,NONE]")
	}
	if spec.Providers, err = daemonProviders(r, call.Scope, c, in.CapacityProviderArns); err != nil {
		return spec, config, err
	}
	ref := member.Value(in.DaemonTaskDefinitionArn)
	if !arn.IsARN(ref) {
		return spec, config, invalid("The daemon task definition must be specified by its ARN.")
	}
	def, err := findDaemonDefinition(r, call.Scope, ref)
	if err != nil {
		return spec, config, err
	}
	if def.Status != workload.Active {
		return spec, config, client("The specified daemon task definition is not active.")
	}
	spec.DefinitionARN = def.ARN
	return spec, config, nil
}

// daemonProviders are the names of the capacity providers, in the order given.
func daemonProviders(r store.Reader, scope arn.Scope, c *cluster.Cluster, refs []string) ([]string, error) {
	if len(refs) == 0 {
		return nil, invalid("capacityProviderArns can not be empty.")
	}
	var out []string
	for _, ref := range refs {
		if !arn.IsARN(ref) {
			return nil, invalid("Capacity providers must be specified by their ARNs.")
		}
		p, ok := findProvider(r, scope, ref)
		switch {
		case !ok || p.Status != cluster.Active:
			return nil, providerNotFound()
		case cluster.IsFargate(p.Name):
			return nil, invalid("Daemons are not supported with the capacity provider %s.", p.Name).WithHint("a daemon needs container instances")
		case !slices.Contains(c.CapacityProviders, p.Name):
			return nil, invalid("The specified capacity provider %s is not associated with cluster %s.", p.Name, c.Name).
				WithHint("associate it with PutClusterCapacityProviders first")
		case slices.Contains(out, p.Name):
			return nil, invalid("The capacity provider %s is specified more than once.", p.Name)
		}
		out = append(out, p.Name)
	}
	return out, nil
}

func readDaemonConfiguration(in *ecs.DaemonDeploymentConfiguration) (daemon.Configuration, error) {
	var c daemon.Configuration
	if in == nil {
		return c, nil
	}
	if p := in.DrainPercent; p != nil && (*p < 0 || *p > 100) {
		return c, invalid("drainPercent should be between 0.0 and 100.0")
	}
	if b := in.BakeTimeInMinutes; b != nil && (*b < 0 || *b > maxBake) {
		return c, invalid("bakeTimeInMinutes should be between 0 and %d", maxBake)
	}
	c.DrainPercent, c.BakeMinutes = in.DrainPercent, optionalInt(in.BakeTimeInMinutes)
	if a := in.Alarms; a != nil {
		c.Alarms = &daemon.Alarms{Names: a.AlarmNames, Enable: member.Value(a.Enable)}
		if c.Alarms.Enable && len(c.Alarms.Names) == 0 {
			return c, invalid("alarmNames can not be empty when alarms are enabled.")
		}
	}
	return c, nil
}
