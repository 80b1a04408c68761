package door_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestGatewaysOfECSAreNotSupportedYet calls each operation on ECS gateways: newer
// than the others, they are refused as a feature that is missing.
func TestGatewaysOfECSAreNotSupportedYet(t *testing.T) {
	s := startAll(t, 0)
	c := ecs.NewFromConfig(s.Config(s.Root))
	gateway, cluster := aws.String("g"), aws.String("default")
	calls := map[string]func(context.Context) error{
		"AssociateGatewayWithCluster": func(ctx context.Context) error {
			_, err := c.AssociateGatewayWithCluster(ctx, &ecs.AssociateGatewayWithClusterInput{Gateway: gateway, Cluster: cluster})
			return err
		},
		"CreateGateway": func(ctx context.Context) error {
			_, err := c.CreateGateway(ctx, &ecs.CreateGatewayInput{
				Name: gateway, InfrastructureRoleArn: aws.String("arn:aws:iam::000000000000:role/build"), Configuration: &types.GatewayConfigurationMemberHostSharedAlb{},
			})
			return err
		},
		"DeleteGateway": func(ctx context.Context) error {
			_, err := c.DeleteGateway(ctx, &ecs.DeleteGatewayInput{Gateway: gateway})
			return err
		},
		"DescribeGateway": func(ctx context.Context) error {
			_, err := c.DescribeGateway(ctx, &ecs.DescribeGatewayInput{Gateway: gateway})
			return err
		},
		"DescribeGatewayResources": func(ctx context.Context) error {
			_, err := c.DescribeGatewayResources(ctx, &ecs.DescribeGatewayResourcesInput{Gateway: gateway})
			return err
		},
		"DescribeGatewayRoute": func(ctx context.Context) error {
			_, err := c.DescribeGatewayRoute(ctx, &ecs.DescribeGatewayRouteInput{GatewayRouteArn: gateway})
			return err
		},
		"DisassociateGatewayFromCluster": func(ctx context.Context) error {
			_, err := c.DisassociateGatewayFromCluster(ctx, &ecs.DisassociateGatewayFromClusterInput{Gateway: gateway, Cluster: cluster})
			return err
		},
		"ListGatewayClusterAssociations": func(ctx context.Context) error {
			_, err := c.ListGatewayClusterAssociations(ctx, &ecs.ListGatewayClusterAssociationsInput{Gateway: gateway})
			return err
		},
		"ListGatewayRoutes": func(ctx context.Context) error {
			_, err := c.ListGatewayRoutes(ctx, &ecs.ListGatewayRoutesInput{Gateway: gateway})
			return err
		},
		"ListGateways": func(ctx context.Context) error {
			_, err := c.ListGateways(ctx, &ecs.ListGatewaysInput{})
			return err
		},
		"UpdateGateway": func(ctx context.Context) error {
			_, err := c.UpdateGateway(ctx, &ecs.UpdateGatewayInput{Gateway: gateway})
			return err
		},
	}
	for name, call := range calls {
		want := refusal{"UnsupportedFeatureException", "berth does not support " + name + " of ecs."}
		checkRefusal(t, name, call(t.Context()), want, http.StatusBadRequest)
	}
}
