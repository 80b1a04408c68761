package fields_test

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// roles makes those that the tables name and tasks, or ECS, become. The others are only
// named: nothing is made in their name.
func (b *berth) roles(ctx context.Context) error {
	client := iam.NewFromConfig(b.config())
	for name, service := range map[string]string{
		"task": "ecs-tasks", "task2": "ecs-tasks", "execution": "ecs-tasks", "execution2": "ecs-tasks", "infrastructure": "ecs",
	} {
		if _, err := client.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName:                 &name,
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
		}); err != nil {
			return err
		}
		if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String("may"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
		}); err != nil {
			return err
		}
	}
	return nil
}
