package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestExpressServicesAreMadeAsTheirRole has ECS make what a service needs as a role that
// it may not assume, as one that may nothing, and as one with AWS's policy for it.
func TestExpressServicesAreMadeAsTheirRole(t *testing.T) {
	t.Parallel()
	in := &ecs.CreateExpressGatewayServiceInput{
		ServiceName: aws.String("managed"), ExecutionRoleArn: aws.String(roleARN(executionRole)),
		PrimaryContainer: &types.ExpressGatewayContainer{Image: aws.String("never:1")},
	}
	mine := here.role(t, "tasks", allow("*", "*"))
	in.InfrastructureRoleArn = aws.String(roleARN(mine))
	_, err := here.ecs.CreateExpressGatewayService(t.Context(), in)
	refused(t, err, "AccessDeniedException", "Cannot assume role "+roleARN(mine))

	role := here.roleOf(t, "builds", trusting("ecs.amazonaws.com"))
	in.InfrastructureRoleArn = aws.String(roleARN(role))
	_, err = here.ecs.CreateExpressGatewayService(t.Context(), in)
	refused(t, err, "AccessDeniedException", "is not authorized to perform: ec2:CreateSecurityGroup")
	out, err := here.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"managed"}})
	if err != nil || len(out.Services) != 0 {
		t.Errorf("%s %v", shown(out), err)
	}

	policy := aws.String("arn:aws:iam::aws:policy/service-role/AmazonECSInfrastructureRoleforExpressGatewayServices")
	if _, err := here.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: policy}); err != nil {
		t.Fatal(err)
	}
	made, err := here.ecs.CreateExpressGatewayService(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.ecs.DeleteExpressGatewayService(t.Context(), &ecs.DeleteExpressGatewayServiceInput{ServiceArn: made.Service.ServiceArn}); err != nil {
		t.Error(err)
	}
	if _, err := here.iam.DetachRolePolicy(after(t), &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: policy}); err != nil {
		t.Error(err)
	}
}
