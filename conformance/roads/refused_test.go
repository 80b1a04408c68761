package roads_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// roleCannotLead has a service refused whose role ECS may not become, or may not change
// rules by.
func (s *shifting) roleCannotLead(t *testing.T) {
	t.Helper()
	out, err := here.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{s.service}})
	if err != nil {
		t.Fatal(err)
	}
	try := func(role string) {
		t.Helper()
		balancers := out.Services[0].LoadBalancers
		for i := range balancers {
			balancers[i].AdvancedConfiguration.RoleArn = &role
		}
		_, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &s.service, LoadBalancers: balancers})
		if refused := new(types.InvalidParameterException); !errors.As(err, &refused) || !strings.HasPrefix(refused.ErrorMessage(), "Unable to assume role and validate") {
			t.Errorf("by %s: %v", role, err)
		}
	}
	try("arn:aws:iam::000000000000:role/ecsTaskExecutionRole") // trusts tasks alone
	name := "idle-" + s.service
	const trust = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`
	role, err := here.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := here.iam.DeleteRole(after(t), &iam.DeleteRoleInput{RoleName: &name}); err != nil {
			t.Error(err)
		}
	})
	try(*role.Role.Arn) // may do nothing
}
