package server

import (
	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/store"
)

// eventSources are the events that changes in the store make. To add one: a function
// that makes events of a change of a table, and a line here. domain/event builds
// those of service actions, deployments and lifecycle hooks.
func eventSources() []bus.Source {
	return []bus.Source{
		{Table: store.Tasks, Name: event.ECSSource, Type: event.TaskStateChange, Events: ecs.TaskEvents, Since: ecs.TaskEventsSince},
		{Table: store.Instances, Name: event.ECSSource, Type: event.InstanceStateChange, Events: ecs.InstanceEvents},
		{Table: store.ServiceEvents, Name: event.ECSSource, Type: event.ServiceActionType, Events: ecs.ServiceActionEvents, Since: ecs.ServiceActionEventsSince},
		{Table: store.ServiceEvents, Name: event.ECSSource, Type: event.DeploymentStateChange, Events: ecs.DeploymentEvents, Since: ecs.DeploymentEventsSince},
		{Table: store.Rollouts, Name: event.ECSSource, Type: event.DeploymentHookStateChange, Events: ecs.HookEvents},
	}
}

// newBus makes what carries events to the targets of rules.
func (s *Server) newBus() *bus.Bus {
	run := ecs.New(ecs.Config{Store: s.store, Assume: s.assume}).Operations()
	return bus.New(bus.Config{
		Store: s.store, Sources: eventSources(), Logs: s.archive, Reach: s.EventReach, Log: s.Log, Now: s.Now,
		Tasks: &events.Launcher{RunTask: s.authorised(run["RunTask"]), StopTask: run["StopTask"], Now: s.Now, Assume: s.assumeForRule},
	})
}
