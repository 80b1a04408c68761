package ecs

import (
	"context"
	"reflect"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func daemonNotFound() *fault.Fault {
	return fault.New(fault.DaemonNotFound, "The specified daemon was not found.").WithHint("`aws ecs list-daemons` lists those there are")
}

// createDaemon makes a daemon for the instances of capacity providers. AWS takes
// Managed Instances only; here any provider of the cluster but Fargate's will do.
func (a *API) createDaemon(ctx context.Context, call *gateway.Call, in *ecs.CreateDaemonRequest) (*ecs.CreateDaemonResponse, error) {
	if err := checkDaemonName(member.Value(in.DaemonName)); err != nil {
		return nil, err
	}
	if err := checkServiceToken(in.ClientToken); err != nil {
		return nil, err
	}
	var made *daemon.Daemon
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, in.ClusterArn)
		if err != nil {
			return err
		}
		spec, config, err := readDaemon(tx, call, c, in)
		if err != nil {
			return err
		}
		tags, err := readTags(in.Tags)
		if err != nil {
			return err
		}
		next := &daemon.Daemon{
			Scope: call.Scope, ARN: call.Scope.Daemon(c.Name, *in.DaemonName), Name: *in.DaemonName, ClusterARN: c.ARN,
			Status: daemon.Active, ClientToken: member.Value(in.ClientToken), Tags: tags, CreatedAt: call.Now, Version: 1,
		}
		if have, ok := store.Daemons.Get(tx, next.ARN); ok {
			made, err = have, sameDaemon(have, next, spec)
			return err
		}
		a.deploy(tx, call, next, spec, config)
		made = next
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateDaemonResponse{DaemonArn: &made.ARN, Status: ecs.DaemonStatus(made.Status), CreatedAt: member.Time(made.CreatedAt), DeploymentArn: &made.Deployment}, nil
}

// sameDaemon lets a repeated CreateDaemon pass.
func sameDaemon(have, next *daemon.Daemon, spec daemon.Spec) error {
	switch {
	case have.Status == daemon.Deleting:
		return client("The daemon %s is being deleted.", have.Name).WithHint("wait until DescribeDaemon does not find it any more")
	case have.ClientToken == next.ClientToken && reflect.DeepEqual(have.Spec, spec):
		return nil
	}
	return invalid("Creation of daemon was not idempotent.").WithHint("daemon %s exists with other parameters; use UpdateDaemon", have.Name)
}

// deploy makes a revision of the daemon, and moves the instances there.
func (a *API) deploy(tx *store.Tx, call *gateway.Call, d *daemon.Daemon, spec daemon.Spec, config daemon.Configuration) {
	supersede(tx, call, d)
	name := arn.NameOf(d.ClusterARN)
	r := &daemon.Revision{
		Scope: d.Scope, ARN: d.Scope.DaemonRevision(name, d.Name, a.number()), DaemonARN: d.ARN, ClusterARN: d.ClusterARN, Spec: spec, CreatedAt: call.Now,
	}
	store.DaemonRevisions.Put(tx, r)
	store.DaemonDeployments.Put(tx, d.Begin(r, a.daemonDeployment(d), config, call.Now))
	store.Daemons.Put(tx, d)
}

func (a *API) daemonDeployment(d *daemon.Daemon) string {
	return d.Scope.DaemonDeployment(arn.NameOf(d.ClusterARN), d.Name, a.newID()[:21])
}

// supersede ends the deployment that is under way.
func supersede(tx *store.Tx, call *gateway.Call, d *daemon.Daemon) {
	if have, ok := store.DaemonDeployments.Get(tx, d.Deployment); ok && !have.Status.Over() {
		ended := *have
		ended.Supersede(call.Now)
		store.DaemonDeployments.Put(tx, &ended)
	}
}

func (a *API) updateDaemon(ctx context.Context, call *gateway.Call, in *ecs.UpdateDaemonRequest) (*ecs.UpdateDaemonResponse, error) {
	var next daemon.Daemon
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := activeDaemon(tx, call.Scope, member.Value(in.DaemonArn))
		if err != nil {
			return err
		}
		c, err := activeCluster(tx, call.Scope, &have.ClusterARN)
		if err != nil {
			return err
		}
		spec, config, err := readDaemon(tx, call, c, &ecs.CreateDaemonRequest{
			DaemonTaskDefinitionArn: in.DaemonTaskDefinitionArn, CapacityProviderArns: in.CapacityProviderArns, DeploymentConfiguration: in.DeploymentConfiguration,
			PropagateTags: in.PropagateTags, EnableECSManagedTags: in.EnableECSManagedTags, EnableExecuteCommand: in.EnableExecuteCommand, Critical: in.Critical,
		})
		if err != nil {
			return err
		}
		next = *have
		next.Version++
		a.deploy(tx, call, &next, spec, config)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateDaemonResponse{
		DaemonArn: &next.ARN, Status: ecs.DaemonStatus(next.Status), CreatedAt: member.Time(next.CreatedAt), UpdatedAt: member.Time(next.UpdatedAt), DeploymentArn: &next.Deployment,
	}, nil
}

func (a *API) deleteDaemon(ctx context.Context, call *gateway.Call, in *ecs.DeleteDaemonRequest) (*ecs.DeleteDaemonResponse, error) {
	var next daemon.Daemon
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := activeDaemon(tx, call.Scope, member.Value(in.DaemonArn))
		if err != nil {
			return err
		}
		next = *have
		supersede(tx, call, &next)
		store.DaemonDeployments.Put(tx, next.Delete(a.daemonDeployment(&next), call.Now))
		next.Version++
		store.Daemons.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteDaemonResponse{
		DaemonArn: &next.ARN, Status: ecs.DaemonStatus(next.Status), CreatedAt: member.Time(next.CreatedAt), UpdatedAt: member.Time(next.UpdatedAt), DeploymentArn: &next.Deployment,
	}, nil
}

// findDaemon finds a daemon by ARN.
func findDaemon(r store.Reader, scope arn.Scope, ref string) (*daemon.Daemon, error) {
	if parsed, err := arn.Parse(ref); err != nil || parsed.Service != "ecs" || parsed.Kind() != "daemon" {
		return nil, invalid("Invalid identifier: Unexpected resource '%s'.", ref).WithHint("a daemon is named by its ARN")
	}
	d, ok := store.Daemons.Get(r, ref)
	if !ok || d.Scope != scope {
		return nil, daemonNotFound()
	}
	return d, nil
}

func activeDaemon(r store.Reader, scope arn.Scope, ref string) (*daemon.Daemon, error) {
	d, err := findDaemon(r, scope, ref)
	if err == nil && d.Status != daemon.Active {
		err = fault.New(fault.DaemonNotActive, "The specified daemon is not active.")
	}
	return d, err
}

func (a *API) describeDaemon(_ context.Context, call *gateway.Call, in *ecs.DescribeDaemonRequest) (*ecs.DescribeDaemonResponse, error) {
	v := a.store.View()
	d, err := findDaemon(v, call.Scope, member.Value(in.DaemonArn))
	if err != nil {
		return nil, err
	}
	return &ecs.DescribeDaemonResponse{Daemon: showDaemon(v, d)}, nil
}

func (a *API) listDaemons(_ context.Context, call *gateway.Call, in *ecs.ListDaemonsRequest) (*ecs.ListDaemonsResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	v, prefix := a.store.View(), call.Scope.Daemon("", "")
	prefix = prefix[:len(prefix)-1] // of every cluster
	if in.ClusterArn != nil {
		c, err := findCluster(v, call.Scope, in.ClusterArn)
		if err != nil {
			return nil, err
		}
		prefix = call.Scope.Daemon(c.Name, "")
	}
	following := filter(store.Daemons.Prefix(v, prefix), func(d *daemon.Daemon) bool {
		return d.ARN > page.after.Key && runsOn(d, in.CapacityProviderArns)
	})
	found, next := fill(page, following, func(d *daemon.Daemon) cursor { return cursor{Key: d.ARN} })
	return &ecs.ListDaemonsResponse{DaemonSummariesList: member.Each(found, func(d **daemon.Daemon) ecs.DaemonSummary {
		return ecs.DaemonSummary{DaemonArn: &(*d).ARN, Status: ecs.DaemonStatus((*d).Status), CreatedAt: member.Time((*d).CreatedAt), UpdatedAt: member.Time((*d).UpdatedAt)}
	}),

		NextToken: next}, nil
}

// runsOn tells whether a daemon is for one of the providers; any is, of none named.
func runsOn(d *daemon.Daemon, providers []string) bool {
	for _, ref := range providers {
		for _, name := range d.Spec.Providers {
			if d.Scope.CapacityProvider(name) == ref {
				return true
			}
		}
	}
	return len(providers) == 0
}
