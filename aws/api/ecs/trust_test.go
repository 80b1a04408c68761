package ecs_test

import (
	"testing"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
)

func TestTasksNeedRolesThatTrustThem(t *testing.T) {
	s := &server{t: t, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		decides := access.New(access.Config{Store: st})
		api := ecs.New(ecs.Config{Store: st, Assume: func(r store.Reader, role, source string) (*identity.Role, error) {
			return decides.Trusts(r, role, "ecs-tasks.amazonaws.com", source)
		}})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)}
	s.do("CreateCluster", `{}`)
	s.Role(t, "trusts")
	s.update(func(tx *store.Tx) {
		store.Roles.Put(tx, &identity.Role{Account: scope.Account, Name: "elsewhere", ARN: roles + "elsewhere", Trust: gatewaytest.Trusting("ec2.amazonaws.com")})
		store.Roles.Put(tx, &identity.Role{Account: scope.Account, Name: "fenced", ARN: roles + "fenced",
			Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ecs:us-east-1:123456789012:*"}}}}`})
	})
	s.do("RegisterTaskDefinition", `{"family":"plain","containerDefinitions":[{"name":"app","image":"web","memory":64}]}`)
	s.do("RegisterTaskDefinition", `{"family":"gone","executionRoleArn":"gone","containerDefinitions":[{"name":"app","image":"web","memory":64}]}`)
	refused := func(role string) string {
		return "ECS was unable to assume the role '" + roles + role + "' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
	}
	const on = `"containerInstances":["` + taskID + `"]`
	for _, operation := range []string{"RunTask", "StartTask"} {
		s.refused(operation, `{"taskDefinition":"gone",`+on+`}`, "ClientException", refused("gone"))
		for _, role := range []string{"elsewhere", "fenced", "path/trusts"} {
			s.refused(operation, `{"taskDefinition":"plain",`+on+`,"overrides":{"taskRoleArn":"`+roles+role+`"}}`, "ClientException", refused(role))
		}
	}
	s.refused("RunTask", `{"taskDefinition":"plain","overrides":{"taskRoleArn":"trusts"}}`, "InvalidParameterException", "No Container Instances were found in your cluster.")
	out := s.do("StartTask", `{"taskDefinition":"plain",`+on+`,"overrides":{"taskRoleArn":"trusts"}}`)
	expect(t, "a role that trusts", get(out, "failures", 0, "reason"), "MISSING")
}
