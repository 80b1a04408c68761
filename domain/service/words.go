package service

import (
	"fmt"
	"strings"
)

// Names of the service action events.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
const (
	SteadyState         = "SERVICE_STEADY_STATE"
	TaskStartImpaired   = "SERVICE_TASK_START_IMPAIRED"
	PlacementFailure    = "SERVICE_TASK_PLACEMENT_FAILURE"
	DeploymentBegun     = "SERVICE_DEPLOYMENT_IN_PROGRESS"
	DeploymentCompleted = "SERVICE_DEPLOYMENT_COMPLETED"
	DeploymentFailed    = "SERVICE_DEPLOYMENT_FAILED"
	SetSteadyState      = "TASKSET_STEADY_STATE"
	DesiredCountUpdated = "SERVICE_DESIRED_COUNT_UPDATED"
	RebalancingStarted  = "SERVICE_REBALANCING_STARTED"
	RebalancingDone     = "SERVICE_REBALANCING_COMPLETED"
)

const troubleshooting = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."

// Say begins a message of the service's event log.
func (s *Service) Say(format string, args ...any) string {
	return "(service " + s.Name + ") " + fmt.Sprintf(format, args...)
}

// SayOf begins a message about a task set of the service; about the service itself
// when set is empty.
func (s *Service) SayOf(set, format string, args ...any) string {
	if set == "" {
		return s.Say(format, args...)
	}
	return "(service " + s.Name + ", taskSet " + set + ") " + fmt.Sprintf(format, args...)
}

// SayStarted is the message for tasks just started, by their ids; set is their task
// set, empty without.
func (s *Service) SayStarted(set string, tasks []string) string {
	return s.SayOf(set, "has started %d tasks: %s.", len(tasks), list(tasks))
}

// SayStopped is the message for running tasks just stopped.
func (s *Service) SayStopped(set string, tasks []string) string {
	return s.SayOf(set, "has stopped %d running tasks: %s.", len(tasks), list(tasks))
}

// SayStoppedPending is the message for tasks stopped before they ran.
func (s *Service) SayStoppedPending(set string, n int) string {
	return s.SayOf(set, "stopped %d pending tasks.", n)
}

// SayRotated is the message for a deployment that begins because of a new version
// of something that tasks are told in confidence.
func (s *Service) SayRotated(what, arn string) string {
	return s.Say("%s %s has a new version; starting a deployment.", what, arn)
}

// InZone is how many tasks of a service run in an Availability Zone.
type InZone struct {
	Zone  string
	Tasks int
}

// SayUneven is the message for zones that are being evened out.
func (s *Service) SayUneven(zones []InZone) string {
	return s.Say("is not AZ balanced with %s. AZ Rebalancing in progress.", listZones(zones))
}

// SayEven is the message for zones that have been.
func (s *Service) SayEven(zones []InZone) string {
	return s.Say("is AZ balanced with %s.", listZones(zones))
}

// SayStartedIn is the message for tasks started to even out the zones.
func (s *Service) SayStartedIn(zone string, tasks []string) string {
	return s.Say("has started %d tasks in %s to AZ Rebalance: %s.", len(tasks), zone, list(tasks))
}

// SayStoppedIn is the message for tasks stopped once those have started.
func (s *Service) SayStoppedIn(zone string, tasks []string) string {
	return s.Say("has stopped %d running tasks in %s due to AZ rebalancing: %s.", len(tasks), zone, list(tasks))
}

// SayNoRoomIn is the message for a zone that is to have more tasks and has no room.
func (s *Service) SayNoRoomIn(zone string) string {
	return s.Say("is unable to place a task in %s because no container instance met all of its requirements.", zone)
}

func listZones(zones []InZone) string {
	words := make([]string, len(zones))
	for i, z := range zones {
		words[i] = fmt.Sprintf("%d tasks in %s", z.Tasks, z.Zone)
	}
	return strings.Join(words, ", ")
}

func list(tasks []string) string {
	words := make([]string, len(tasks))
	for i, id := range tasks {
		words[i] = "(task " + id + ")"
	}
	return strings.Join(words, " ")
}

// SayImpaired is the message for tasks that fail again and again.
func (s *Service) SayImpaired() string {
	return s.Say("is unable to consistently start tasks successfully.") + troubleshooting
}

// SayUnplaced is the message for a task that finds no instance. closest is the
// refusal of the instance that was nearest to taking it, and empty when there is
// none; instance is then its id.
func (s *Service) SayUnplaced(instance, closest string) string {
	if instance == "" {
		return s.Say("was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.") + troubleshooting
	}
	return s.Say("was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance %s) %s.", instance, closest) + troubleshooting
}

// refusals are AWS's words for what a closest instance lacks, by placement's.
var refusals = []struct{ reason, words string }{
	{"RESOURCE:CPU", "has insufficient CPU units available"},
	{"RESOURCE:MEMORY", "has insufficient memory available"},
	{"RESOURCE:GPU", "has insufficient GPU resource available"},
	{"RESOURCE:PORTS", "is already using a port required by your task"},
	{"RESOURCE:ENI", "encountered error \"RESOURCE:ENI\""},
	{"AGENT", "encountered error \"AGENT\""},
	{"ATTRIBUTE", "is missing an attribute required by your task"},
}

// Refusal says in the words of the event log why an instance did not take a task.
func Refusal(reason string) string {
	for _, r := range refusals {
		if strings.HasPrefix(reason, r.reason) {
			return r.words
		}
	}
	return fmt.Sprintf("encountered error %q", reason)
}

// ReasonCapacity is the event for tasks that found no Fargate or provider capacity.
func (s *Service) SayNoCapacity(reason string) string {
	return s.Say("was unable to place a task. Reason: %s.", strings.TrimSuffix(reason, ".")) + troubleshooting
}

// SayNotLaunched is the event for tasks that ECS could not start as what they are.
func (s *Service) SayNotLaunched(reason string) string {
	return s.Say("failed to launch a task with (error %s).", reason)
}

// Reasons of deployments' states.
const (
	FailedToStart  = "tasks failed to start."
	FailedChecks   = "tasks failed health checks."
	AlarmDetected  = "alarm detected."
	breakerPrefix  = "ECS deployment circuit breaker: "
	StoppedByUser  = "deployment stopped by user."
	HookHasFailed  = "lifecycle hook failed."
	HookHasExpired = "lifecycle hook timed out."
	StageExpired   = "lifecycle stage timed out."
)

// ReasonInProgress is the reason of a deployment that goes on.
func (d *Deployment) ReasonInProgress() string { return "ECS deployment " + d.ID + " in progress." }

// ReasonCompleted is the reason of a deployment that is done.
func (d *Deployment) ReasonCompleted() string { return "ECS deployment " + d.ID + " completed." }

// ReasonBreaker says what the circuit breaker did.
func ReasonBreaker(what string) string { return breakerPrefix + what }

// RollingBack names the deployment that a rollback goes to.
func RollingBack(id string) string { return "rolling back to deploymentId " + id + "." }

// Reasons of tasks that a service stops.
const ReasonUnhealthy = "Task failed container health checks"

// ReasonSetScaling is the stoppedReason of a task that a task set does not need.
func ReasonSetScaling(set string) string {
	return "Scaling activity initiated by (taskSet " + set + ")"
}

// ReasonScaling is the stoppedReason of a task that a deployment does not need.
func ReasonScaling(deployment string) string {
	return "Scaling activity initiated by (deployment " + deployment + ")"
}

// Membership is what the tasks of a service are registered with, as messages name it.
type Membership struct{ kind, name, members string }

// InGroup is the target group of the ARN.
func InGroup(arn string) Membership { return Membership{"target-group", arn, "targets"} }

// InClassic is the Classic balancer of the name, which knows instances.
func InClassic(name string) Membership { return Membership{"elb", name, "instances"} }

// String is how messages name it.
func (m Membership) String() string { return "(" + m.kind + " " + m.name + ")" }

// SayRegistered is the message for targets just registered.
func (s *Service) SayRegistered(n int, with Membership) string {
	return s.Say("has registered %d %s in %s", n, with.members, with)
}

// SayDeregistered is the message for targets that get no new requests any more.
func (s *Service) SayDeregistered(n int, with Membership) string {
	return s.Say("has deregistered %d %s in %s", n, with.members, with)
}

// SayDraining is the message for tasks whose last requests are waited for.
func (s *Service) SayDraining(n int) string {
	return s.Say("has begun draining connections on %d tasks.", n)
}

// SayUnhealthy is the message for a target, "port 80" or "instance i-1", that fails the
// health checks.
func (s *Service) SayUnhealthy(target string, with Membership, reason string) string {
	return s.Say("(%s) is unhealthy in %s due to (reason %s)", target, with, reason)
}

const reasonBalancer = "Task failed ELB health checks in "

// ReasonTarget is the stoppedReason of a task that fails the health checks of what it is
// registered with.
func ReasonTarget(with Membership) string { return reasonBalancer + with.String() }

// ForHealth tells whether a stoppedReason is that of a task that was not healthy.
func ForHealth(reason string) bool {
	return reason == ReasonUnhealthy || strings.HasPrefix(reason, reasonBalancer)
}
