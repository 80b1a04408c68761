package ecs_test

import (
	"testing"

	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

// A service that is deployed for ever keeps its newest deployments and what they
// name, and no more.
func TestServiceDeploymentsArePruned(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.do("RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "app", "image": "x", "memory": 64}]}`)
	s.do("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0}`)
	for range rollout.KeptRollouts + 20 {
		s.do("UpdateService", `{"service": "web", "forceNewDeployment": true}`)
	}
	v := s.Store.View()
	if n := store.Rollouts.Len(v); n != rollout.KeptRollouts {
		t.Errorf("%d service deployments are kept", n)
	}
	// Nothing plans here, so every deployment is still an entry of the service.
	if n := store.ServiceRevisions.Len(v); n < rollout.KeptRollouts {
		t.Errorf("%d revisions are kept", n)
	}
	out := s.do("ListServiceDeployments", `{"service": "web", "maxResults": 100}`)
	newest := get(out, "serviceDeployments", 0, "serviceDeploymentArn").(string)
	described := s.do("DescribeServiceDeployments", `{"serviceDeploymentArns": [%q]}`, newest)
	expect(t, "newest", get(described, "serviceDeployments", 0, "status"), any("PENDING"))
	if get(out, "nextToken") == nil || len(get(out, "serviceDeployments").([]any)) != 100 {
		t.Error("a page of a hundred with more to come was expected")
	}
}
