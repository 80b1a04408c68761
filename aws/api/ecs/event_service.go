package ecs

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// deploymentEvents begin the names of "ECS Deployment State Change" events; what
// else is said of a service is an "ECS Service Action".
const deploymentEvents = "SERVICE_DEPLOYMENT_"

// ServiceActionEvents are the events of what was said of a service in a change.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
func ServiceActionEvents(v *store.View, change store.Event, _ time.Time) []event.Event {
	return said(v, change, actionOf)
}

// ServiceActionEventsSince are those of what was said after a moment.
func ServiceActionEventsSince(v *store.View, since time.Time) []event.Event {
	return saidSince(v, since, actionOf)
}

// DeploymentEvents are the events of deployments' states in a change.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
func DeploymentEvents(v *store.View, change store.Event, _ time.Time) []event.Event {
	return said(v, change, deploymentOf)
}

// DeploymentEventsSince are those of the states after a moment.
func DeploymentEventsSince(v *store.View, since time.Time) []event.Event {
	return saidSince(v, since, deploymentOf)
}

type saying func(*service.Service, *service.Event) (event.Event, bool)

func said(v *store.View, change store.Event, make saying) []event.Event {
	old, next, ok := store.ServiceEvents.Of(change)
	if !ok || old != nil || next == nil {
		return nil
	}
	s, ok := store.Services.Get(v, next.ServiceARN)
	if !ok {
		return nil
	}
	if e, ok := make(s, next); ok {
		return []event.Event{e}
	}
	return nil
}

func saidSince(v *store.View, since time.Time, make saying) []event.Event {
	var out []event.Event
	for s := range store.Services.All(v) {
		for e := range store.ServiceEvents.Prefix(v, store.ServiceEventPrefix(s.ARN)) {
			if !e.At.After(since) {
				continue
			}
			if made, ok := make(s, e); ok {
				out = append(out, made)
			}
		}
	}
	return out
}

func actionOf(s *service.Service, e *service.Event) (event.Event, bool) {
	if e.Name == "" || strings.HasPrefix(e.Name, deploymentEvents) {
		return event.Event{}, false
	}
	return event.ServiceAction{Scope: s.Scope, Name: e.Name, ServiceARN: s.ARN, ClusterARN: s.ClusterARN, Reason: e.Reason, At: e.At}.Event(), true
}

func deploymentOf(s *service.Service, e *service.Event) (event.Event, bool) {
	if !strings.HasPrefix(e.Name, deploymentEvents) {
		return event.Event{}, false
	}
	return event.Deployment{Scope: s.Scope, Name: e.Name, ServiceARN: s.ARN, ID: e.DeploymentID, Reason: e.Reason, At: e.At}.Event(), true
}

// HookEvents are the events of the lifecycle hooks that a change moved.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
func HookEvents(_ *store.View, change store.Event, now time.Time) []event.Event {
	old, next, ok := store.Rollouts.Of(change)
	if !ok || next == nil {
		return nil
	}
	before := map[string]service.HookStatus{}
	if old != nil {
		for _, h := range old.Hooks {
			before[h.ID] = h.Status
		}
	}
	var out []event.Event
	for i := range next.Hooks {
		h := &next.Hooks[i]
		if before[h.ID] == h.Status {
			continue
		}
		kind := &next.Configuration.Hooks[h.Hook]
		out = append(out, event.Hook{
			Scope: next.Scope, Name: "HOOK_" + string(h.Status), ServiceARN: next.ServiceARN, ServiceDeploymentARN: next.ARN, HookID: h.ID,
			TargetType: kind.Type, TargetARN: kind.Target, Status: string(h.Status), Stage: string(next.Stage),
			ExpiresAt: h.ExpiresAt, TimeoutAction: kind.OnTimeout(), At: now,
		}.Event())
	}
	return out
}
