// Package applicationautoscaling answers those who ask how a service scales.
// Nothing can be registered for scaling yet, so that every list is empty, and
// only its first page exists.
// https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
package applicationautoscaling

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/applicationautoscaling"
	"github.com/berthhq/berth/domain/fault"
)

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"DescribeScalableTargets":   gateway.Handle(describeScalableTargets),
		"DescribeScalingActivities": gateway.Handle(describeScalingActivities),
		"DescribeScalingPolicies":   gateway.Handle(describeScalingPolicies),
		"DescribeScheduledActions":  gateway.Handle(describeScheduledActions),
	}
}

// The greatest pages.
const (
	maxPage     = 50
	maxPolicies = 10
)

// question is what the operations have in common.
type question struct {
	namespace shape.ServiceNamespace
	dimension shape.ScalableDimension // empty when any will do
	resource  bool                    // a resource is named
	limit     *int32
	token     *string
}

// check refuses what the model does not: pages of more than most or less than
// one, dimensions of another service or of no resource, and tokens.
func (q question) check(most int32) error {
	if q.dimension != "" && !strings.HasPrefix(string(q.dimension), string(q.namespace)+":") {
		return invalid("Unsupported service namespace, resource type or scalable dimension").
			WithHint("the dimensions of %s begin with %s:", q.namespace, q.namespace)
	}
	if q.dimension != "" && !q.resource {
		return invalid("A resource ID must be specified with a scalable dimension.").
			WithHint("name a resource, such as service/CLUSTER/SERVICE, or leave the dimension out")
	}
	if q.limit != nil && (*q.limit < 1 || *q.limit > most) {
		return invalid("MaxResults must be between 1 and %d.", most)
	}
	if q.token != nil && *q.token != "" {
		return fault.New(fault.InvalidPageToken, "NextToken is not valid.").
			WithHint("leave it out: no list has a second page")
	}
	return nil
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func describeScalableTargets(_ context.Context, _ *gateway.Call, in *shape.DescribeScalableTargetsRequest) (*shape.DescribeScalableTargetsResponse, error) {
	q := question{in.ServiceNamespace, in.ScalableDimension, len(in.ResourceIds) > 0, in.MaxResults, in.NextToken}
	if err := q.check(maxPage); err != nil {
		return nil, err
	}
	return &shape.DescribeScalableTargetsResponse{ScalableTargets: []shape.ScalableTarget{}}, nil
}

func describeScalingActivities(_ context.Context, _ *gateway.Call, in *shape.DescribeScalingActivitiesRequest) (*shape.DescribeScalingActivitiesResponse, error) {
	q := question{in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil, in.MaxResults, in.NextToken}
	if err := q.check(maxPage); err != nil {
		return nil, err
	}
	return &shape.DescribeScalingActivitiesResponse{ScalingActivities: []shape.ScalingActivity{}}, nil
}

func describeScalingPolicies(_ context.Context, _ *gateway.Call, in *shape.DescribeScalingPoliciesRequest) (*shape.DescribeScalingPoliciesResponse, error) {
	q := question{in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil, in.MaxResults, in.NextToken}
	if err := q.check(maxPolicies); err != nil {
		return nil, err
	}
	return &shape.DescribeScalingPoliciesResponse{ScalingPolicies: []shape.ScalingPolicy{}}, nil
}

func describeScheduledActions(_ context.Context, _ *gateway.Call, in *shape.DescribeScheduledActionsRequest) (*shape.DescribeScheduledActionsResponse, error) {
	q := question{in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil, in.MaxResults, in.NextToken}
	if err := q.check(maxPage); err != nil {
		return nil, err
	}
	return &shape.DescribeScheduledActionsResponse{ScheduledActions: []shape.ScheduledAction{}}, nil
}
