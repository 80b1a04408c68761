package event

import (
	"encoding/json"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// Detail types of ECS's events.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html
const (
	ECSSource                 = "aws.ecs"
	TaskStateChange           = "ECS Task State Change"
	InstanceStateChange       = "ECS Container Instance State Change"
	ServiceActionType         = "ECS Service Action"
	DeploymentStateChange     = "ECS Deployment State Change"
	DeploymentHookStateChange = "ECS Hook State Change"
)

// Names of service and deployment events that are not INFO.
var levels = map[string]string{
	"SERVICE_TASK_START_IMPAIRED":                  "WARN",
	"SERVICE_DISCOVERY_INSTANCE_UNHEALTHY":         "WARN",
	"VPC_LATTICE_TARGET_UNHEALTHY":                 "WARN",
	"SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED": "ERROR",
	"ECS_OPERATION_THROTTLED":                      "ERROR",
	"SERVICE_DISCOVERY_OPERATION_THROTTLED":        "ERROR",
	"SERVICE_TASK_PLACEMENT_FAILURE":               "ERROR",
	"SERVICE_TASK_CONFIGURATION_FAILURE":           "ERROR",
	"SERVICE_HEALTH_UNKNOWN":                       "ERROR",
	"SERVICE_DEPLOYMENT_FAILED":                    "ERROR",
	"HOOK_FAILED":                                  "ERROR",
	"HOOK_TIMED_OUT":                               "ERROR",
}

// level is the eventType that goes with an event's name.
func level(name string) string {
	if l, ok := levels[name]; ok {
		return l
	}
	return "INFO"
}

// ServiceAction is something a service's scheduler did or met:
// SERVICE_STEADY_STATE, SERVICE_TASK_START_IMPAIRED,
// SERVICE_TASK_PLACEMENT_FAILURE and others.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
type ServiceAction struct {
	Scope              arn.Scope
	Name               string
	ServiceARN         string
	ClusterARN         string
	CapacityProviders  []string // ARNs; absent when empty
	ContainerInstances []string // ARNs the action is about; absent when empty
	TaskDefinitionARN  string   // empty when it plays no part
	DesiredCount       *int     // of SERVICE_DESIRED_COUNT_UPDATED; nil elsewhere
	TaskCount          *int     // of TASKS_STOPPED; nil elsewhere
	Reason             string   // RESOURCE:MEMORY, ...; empty when there is none
	At                 time.Time
}

// Event makes the event; equal actions have equal ids.
func (a ServiceAction) Event() Event {
	return ecsEvent(a.Scope, ServiceActionType, a.ServiceARN, a.At, struct {
		EventType          string   `json:"eventType"`
		EventName          string   `json:"eventName"`
		ClusterARN         string   `json:"clusterArn"`
		CapacityProviders  []string `json:"capacityProviderArns,omitempty"`
		ContainerInstances []string `json:"containerInstanceArns,omitempty"`
		TaskDefinitionARN  string   `json:"taskDefinitionArn,omitempty"`
		DesiredCount       *int     `json:"desiredCount,omitempty"`
		TaskCount          *int     `json:"taskCount,omitempty"`
		Reason             string   `json:"reason,omitempty"`
		CreatedAt          string   `json:"createdAt"`
	}{level(a.Name), a.Name, a.ClusterARN, a.CapacityProviders, a.ContainerInstances, a.TaskDefinitionARN, a.DesiredCount, a.TaskCount, a.Reason, Moment(a.At)})
}

// Deployment is a new state of a service's deployment:
// SERVICE_DEPLOYMENT_IN_PROGRESS, SERVICE_DEPLOYMENT_COMPLETED or
// SERVICE_DEPLOYMENT_FAILED.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
type Deployment struct {
	Scope      arn.Scope
	Name       string
	ServiceARN string
	ID         string // ecs-svc/123
	Reason     string // "ECS deployment ecs-svc/123 in progress."
	At         time.Time
}

// Event makes the event; equal states have equal ids.
func (d Deployment) Event() Event {
	return ecsEvent(d.Scope, DeploymentStateChange, d.ServiceARN, d.At, struct {
		EventType    string `json:"eventType"`
		EventName    string `json:"eventName"`
		DeploymentID string `json:"deploymentId"`
		UpdatedAt    string `json:"updatedAt"`
		Reason       string `json:"reason"`
	}{level(d.Name), d.Name, d.ID, Moment(d.At), d.Reason})
}

// Hook is a new state of a lifecycle hook of a service deployment:
// HOOK_AWAITING_ACTION, HOOK_SUCCEEDED, HOOK_FAILED or HOOK_TIMED_OUT. AWS documents
// the type and the names; the members are called as DescribeServiceDeployments
// calls them.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
type Hook struct {
	Scope                arn.Scope
	Name                 string
	ServiceARN           string
	ServiceDeploymentARN string
	HookID               string
	TargetType           string // PAUSE or AWS_LAMBDA
	TargetARN            string // empty for PAUSE
	Status               string // AWAITING_ACTION, ...
	Stage                string // lifecycle stage: POST_SCALE_UP, ...
	ExpiresAt            time.Time
	TimeoutAction        string // CONTINUE or ROLLBACK; empty when there is none
	At                   time.Time
}

// Event makes the event; equal states have equal ids.
func (h Hook) Event() Event {
	expires := ""
	if !h.ExpiresAt.IsZero() {
		expires = Moment(h.ExpiresAt)
	}
	return ecsEvent(h.Scope, DeploymentHookStateChange, h.ServiceARN, h.At, struct {
		EventType     string `json:"eventType"`
		EventName     string `json:"eventName"`
		Deployment    string `json:"serviceDeploymentArn"`
		HookID        string `json:"hookId"`
		TargetType    string `json:"targetType"`
		TargetARN     string `json:"targetArn,omitempty"`
		Status        string `json:"status"`
		Stage         string `json:"lifecycleStage"`
		ExpiresAt     string `json:"expiresAt,omitempty"`
		TimeoutAction string `json:"timeoutAction,omitempty"`
		UpdatedAt     string `json:"updatedAt"`
	}{level(h.Name), h.Name, h.ServiceDeploymentARN, h.HookID, h.TargetType, h.TargetARN, h.Status, h.Stage, expires, h.TimeoutAction, Moment(h.At)})
}

func ecsEvent(scope arn.Scope, detailType, resource string, at time.Time, detail any) Event {
	text := encode(detail)
	return Event{
		Bus: DefaultBus, ID: ID(detailType, resource, string(text)), DetailType: detailType, Source: ECSSource,
		Scope: scope, Time: at, Resources: []string{resource}, Detail: text,
	}
}

// Scheduled is what a rule's schedule makes.
func Scheduled(r *Rule, at time.Time) Event {
	return Event{
		Bus: r.Bus, ID: ID("schedule", r.ARN, at.UTC().Format(time.RFC3339)), DetailType: "Scheduled Event", Source: "aws.events",
		Scope: r.Scope, Time: at, Resources: []string{r.ARN}, Detail: json.RawMessage("{}"),
	}
}

// ScheduledTaskFailure says that a target of a scheduled rule ran no task, or not
// all; other rules can match it.
type ScheduledTaskFailure struct {
	Rule     *Rule
	TargetID string
	Cluster  string    // ARN
	Firing   time.Time // the moment of the schedule
	Code     string    // AWS's error code, or the reason of the failure: RESOURCE:MEMORY
	Reason   string
	Hint     string // what can be done; empty when unknown
	At       time.Time
}

// Event makes the event.
func (f ScheduledTaskFailure) Event() Event {
	at := f.Firing.UTC().Format(time.RFC3339)
	return Event{
		Bus: f.Rule.Bus, ID: ID("failure", f.Rule.ARN, f.TargetID, at), DetailType: "Scheduled Task Failure", Source: "berth.events",
		Scope: f.Rule.Scope, Time: f.At, Resources: []string{f.Rule.ARN},
		Detail: encode(struct {
			RuleName    string `json:"ruleName"`
			TargetID    string `json:"targetId"`
			ClusterARN  string `json:"clusterArn"`
			ScheduledAt string `json:"scheduledAt"`
			ErrorCode   string `json:"errorCode"`
			Reason      string `json:"reason"`
			Hint        string `json:"hint,omitempty"`
		}{f.Rule.Name, f.TargetID, f.Cluster, at, f.Code, f.Reason, f.Hint}),
	}
}
