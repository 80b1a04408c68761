package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	ecsshape "github.com/berthhq/berth/aws/shape/ecs"
	domain "github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
)

func TestARuleRunsTasksAsItsTargetsRole(t *testing.T) {
	var decides *access.Access
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		decides = access.New(access.Config{Store: st})
		api := ecs.New(ecs.Config{Store: st})
		return []gateway.Offer{{Service: ecsshape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	scope := gatewaytest.Scope
	lab, definition, passed := scope.Cluster("lab"), scope.TaskDefinition("job", 1), scope.Global("iam", "role/app")
	s.Put(t, func(tx *store.Tx) {
		store.Clusters.Put(tx, &domain.Cluster{Scope: scope, ARN: lab, Name: "lab", Status: domain.Active})
		store.TaskDefinitions.Put(tx, &workload.Definition{
			Scope: scope, ARN: definition, Family: "job", Revision: 1, Status: workload.Active, TaskRoleARN: passed, Compatibilities: []workload.LaunchType{workload.EC2},
			Containers: []workload.Container{{Name: "app", Image: "i", Memory: new(64), Essential: true}},
		})
		store.Roles.Put(tx, &identity.Role{Account: scope.Account, Name: "closed", ARN: scope.Global("iam", "role/closed"), Trust: gatewaytest.Trusting("ec2.amazonaws.com")})
	})
	l := &events.Launcher{RunTask: s.Gateway.Do, Now: time.Now, Assume: func(role, rule string) (*identity.Role, error) {
		return decides.Trusts(s.Store.View(), role, "events.amazonaws.com", rule)
	}}
	launch := func(role string) error {
		_, err := l.Launch(t.Context(), event.Launch{
			Scope: scope, Rule: "r", RoleARN: scope.Global("iam", "role/"+role), Cluster: lab, Parameters: &event.ECSParameters{TaskDefinitionARN: definition, Count: 1},
		})
		return err
	}
	run := gateway.Need{Action: "ecs:RunTask", Resources: []string{definition}, Keys: map[string][]string{"ecs:cluster": {lab}}}
	pass := gateway.Need{Action: "iam:PassRole", Resources: []string{passed}, Keys: map[string][]string{"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}}
	s.Role(t, "nothing")
	s.Role(t, "half", gatewaytest.Allowing(run))
	s.Role(t, "runs", gatewaytest.Allowing(run, pass))
	for role, want := range map[string]string{
		"gone":    "EventBridge could not assume the role " + scope.Global("iam", "role/gone"),
		"closed":  "does not let events.amazonaws.com assume it",
		"nothing": "assumed-role/nothing/EventBridge is not authorized to perform: ecs:RunTask on resource: " + definition,
		"half":    "is not authorized to perform: iam:PassRole on resource: " + passed,
		"runs":    "No Container Instances were found in your cluster.",
	} {
		if err := launch(role); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", role, err)
		}
	}
	var audited int
	for _, line := range s.Audit.All() {
		if strings.Contains(line, `"eventName":"RunTask"`) && strings.Contains(line, "berth.internal") {
			audited++
		}
	}
	if audited != 3 {
		t.Errorf("%d launches were audited, want 3", audited)
	}
}
