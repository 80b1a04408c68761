package door_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkaccount "github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/berthhq/berth/aws/api/account"
	autoscaling "github.com/berthhq/berth/aws/api/applicationautoscaling"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	accountshape "github.com/berthhq/berth/aws/shape/account"
	autoscalingshape "github.com/berthhq/berth/aws/shape/applicationautoscaling"
	"github.com/berthhq/berth/store"
)

func startReads(t *testing.T) aws.Config {
	s := gatewaytest.Start(t, func(store.Store) []gateway.Offer {
		return []gateway.Offer{
			{Service: accountshape.API, Handlers: account.Operations()},
			{Service: autoscalingshape.API, Handlers: autoscaling.Operations()},
		}
	}, nil)
	return s.Config(s.Root)
}

// scalingQuestion is what the four operations can be asked.
type scalingQuestion struct {
	namespace scaling.ServiceNamespace
	dimension scaling.ScalableDimension
	resource  string
	limit     *int32
	token     *string
}

func (q scalingQuestion) resourceID() *string {
	if q.resource == "" {
		return nil
	}
	return &q.resource
}

type scalingRead func(context.Context, *applicationautoscaling.Client, scalingQuestion) error

// scalingReads are the operations, by the list that each answers.
var scalingReads = map[string]scalingRead{
	"ScalableTargets": func(ctx context.Context, c *applicationautoscaling.Client, q scalingQuestion) error {
		in := &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: q.namespace, ScalableDimension: q.dimension, MaxResults: q.limit, NextToken: q.token}
		if q.resource != "" {
			in.ResourceIds = []string{q.resource}
		}
		_, err := c.DescribeScalableTargets(ctx, in)
		return err
	},
	"ScalingActivities": func(ctx context.Context, c *applicationautoscaling.Client, q scalingQuestion) error {
		_, err := c.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
			ServiceNamespace: q.namespace, ScalableDimension: q.dimension, ResourceId: q.resourceID(), MaxResults: q.limit, NextToken: q.token,
		})
		return err
	},
	"ScalingPolicies": func(ctx context.Context, c *applicationautoscaling.Client, q scalingQuestion) error {
		_, err := c.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{
			ServiceNamespace: q.namespace, ScalableDimension: q.dimension, ResourceId: q.resourceID(), MaxResults: q.limit, NextToken: q.token,
		})
		return err
	},
	"ScheduledActions": func(ctx context.Context, c *applicationautoscaling.Client, q scalingQuestion) error {
		_, err := c.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{
			ServiceNamespace: q.namespace, ScalableDimension: q.dimension, ResourceId: q.resourceID(), MaxResults: q.limit, NextToken: q.token,
		})
		return err
	},
}

// recorder keeps the body of the last answer: clients do not tell an empty list
// from none.
type recorder struct {
	client *http.Client
	body   string
}

func (r *recorder) Do(request *http.Request) (*http.Response, error) {
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	r.body = string(body)
	answer.Body = io.NopCloser(strings.NewReader(r.body))
	return answer, err
}

func TestNothingScalesByItself(t *testing.T) {
	config := startReads(t)
	for list, read := range scalingReads {
		for name, q := range map[string]scalingQuestion{
			"all":         {namespace: "ecs"},
			"one service": {"ecs", "ecs:service:DesiredCount", "service/default/web", aws.Int32(10), nil},
			"no token":    {namespace: "ecs", token: aws.String("")},
		} {
			seen := &recorder{client: http.DefaultClient}
			config.HTTPClient = seen
			if err := read(context.Background(), applicationautoscaling.NewFromConfig(config), q); err != nil || seen.body != `{"`+list+`":[]}` {
				t.Errorf("%s, %s: %s, %v", list, name, seen.body, err)
			}
		}
	}
}

// withoutChecks lets the client send what it knows to be incomplete.
func withoutChecks(o *applicationautoscaling.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		_, err := stack.Initialize.Remove("OperationInputValidation")
		return err
	})
}

func TestBadQuestionsAboutScaling(t *testing.T) {
	c := applicationautoscaling.NewFromConfig(startReads(t), withoutChecks)
	most := map[string]int32{"ScalableTargets": 50, "ScalingActivities": 50, "ScalingPolicies": 10, "ScheduledActions": 50}
	const invalid = "ValidationException"
	for list, read := range scalingReads {
		for name, x := range map[string]struct {
			q    scalingQuestion
			want refusal
		}{
			"no namespace":      {scalingQuestion{}, refusal{invalid, "1 validation error detected: Value null at 'serviceNamespace' failed to satisfy constraint: Member must not be null"}},
			"unknown namespace": {scalingQuestion{namespace: "ECS"}, refusal{invalid, "1 validation error detected: Value 'ECS' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set: [ecs, "}},
			"unknown dimension": {scalingQuestion{namespace: "ecs", dimension: "ecs:service:Size", resource: "service/a/b"}, refusal{invalid, "1 validation error detected: Value 'ecs:service:Size' at 'scalableDimension'"}},
			"other dimension":   {scalingQuestion{namespace: "ecs", dimension: "rds:cluster:ReadReplicaCount", resource: "service/a/b"}, refusal{invalid, "Unsupported service namespace, resource type or scalable dimension"}},
			"no resource":       {scalingQuestion{namespace: "ecs", dimension: "ecs:service:DesiredCount"}, refusal{invalid, "A resource ID must be specified"}},
			"page of none":      {scalingQuestion{namespace: "ecs", limit: aws.Int32(0)}, refusal{invalid, "MaxResults must be between 1 and "}},
			"page too large":    {scalingQuestion{namespace: "ecs", limit: aws.Int32(most[list] + 1)}, refusal{invalid, "MaxResults must be between 1 and "}},
			"second page":       {scalingQuestion{namespace: "ecs", token: aws.String("bmV4dA")}, refusal{"InvalidNextTokenException", "NextToken is not valid."}},
		} {
			checkRefusal(t, list+", "+name, read(context.Background(), c, x.q), x.want, http.StatusBadRequest)
		}
		if err := read(context.Background(), c, scalingQuestion{namespace: "ecs", limit: aws.Int32(most[list])}); err != nil {
			t.Errorf("%s, the greatest page: %v", list, err)
		}
	}
}

func TestScalingCannotBeRegisteredYet(t *testing.T) {
	c := applicationautoscaling.NewFromConfig(startReads(t))
	_, err := c.RegisterScalableTarget(context.Background(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: "ecs", ScalableDimension: "ecs:service:DesiredCount", ResourceId: aws.String("service/default/web"), MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(2),
	})
	checkRefusal(t, "RegisterScalableTarget", err, refusal{"UnknownOperationException", "berth does not support RegisterScalableTarget of application-autoscaling yet."}, http.StatusBadRequest)
}

func TestRegionsOfTheAccount(t *testing.T) {
	c, ctx := sdkaccount.NewFromConfig(startReads(t)), context.Background()
	all := must[*sdkaccount.ListRegionsOutput](t)(c.ListRegions(ctx, nil))
	status := map[string]accounttypes.RegionOptStatus{}
	for _, r := range all.Regions {
		status[*r.RegionName] = r.RegionOptStatus
	}
	if all.NextToken != nil || len(status) != len(all.Regions) || status["us-east-1"] != accounttypes.RegionOptStatusEnabledByDefault || status["af-south-1"] != accounttypes.RegionOptStatusEnabled {
		t.Errorf("regions %v, next %v", status, all.NextToken)
	}
	total := 0
	for want, least := range map[accounttypes.RegionOptStatus]int{"ENABLED": 2, "ENABLED_BY_DEFAULT": 2, "ENABLING": 0, "DISABLING": 0, "DISABLED": 0} {
		in := &sdkaccount.ListRegionsInput{RegionOptStatusContains: []accounttypes.RegionOptStatus{want}}
		some := must[*sdkaccount.ListRegionsOutput](t)(c.ListRegions(ctx, in)).Regions
		if len(some) < least || slices.ContainsFunc(some, func(r accounttypes.Region) bool { return r.RegionOptStatus != want }) {
			t.Errorf("%s: %v", want, some)
		}
		total += len(some)
	}
	if total != len(all.Regions) {
		t.Errorf("%d regions by status, of %d", total, len(all.Regions))
	}
}

func TestPagesOfRegions(t *testing.T) {
	c, ctx := sdkaccount.NewFromConfig(startReads(t)), context.Background()
	both := []accounttypes.RegionOptStatus{accounttypes.RegionOptStatusEnabled, accounttypes.RegionOptStatusEnabledByDefault}
	for name, filter := range map[string][]accounttypes.RegionOptStatus{"all": nil, "both": both, "by default": both[1:]} {
		want := must[*sdkaccount.ListRegionsOutput](t)(c.ListRegions(ctx, &sdkaccount.ListRegionsInput{RegionOptStatusContains: filter})).Regions
		for _, size := range []int{1, 7, len(want) - 1, len(want), 50} {
			var got []accounttypes.Region
			pages := sdkaccount.NewListRegionsPaginator(c, &sdkaccount.ListRegionsInput{RegionOptStatusContains: filter, MaxResults: aws.Int32(int32(size))})
			n := 0
			for ; pages.HasMorePages() && n <= len(want); n++ {
				got = append(got, must[*sdkaccount.ListRegionsOutput](t)(pages.NextPage(ctx)).Regions...)
			}
			same := func(a, b accounttypes.Region) bool { return *a.RegionName == *b.RegionName }
			if !slices.EqualFunc(got, want, same) || n != (len(want)+size-1)/size {
				t.Errorf("%s by %d: %d regions of %d on %d pages", name, size, len(got), len(want), n)
			}
		}
	}
}

func TestBadQuestionsAboutRegions(t *testing.T) {
	c := sdkaccount.NewFromConfig(startReads(t))
	for name, x := range map[string]struct {
		in   sdkaccount.ListRegionsInput
		want refusal
	}{
		"page of none":   {sdkaccount.ListRegionsInput{MaxResults: aws.Int32(0)}, refusal{"ValidationException", "1 validation error detected: Value '0' at 'maxResults'"}},
		"page too large": {sdkaccount.ListRegionsInput{MaxResults: aws.Int32(51)}, refusal{"ValidationException", "1 validation error detected: Value '51' at 'maxResults'"}},
		"unknown status": {sdkaccount.ListRegionsInput{RegionOptStatusContains: []accounttypes.RegionOptStatus{"OPEN"}}, refusal{"ValidationException", "1 validation error detected: Value 'OPEN' at 'regionOptStatusContains.1.member'"}},
		"no token":       {sdkaccount.ListRegionsInput{NextToken: aws.String("?")}, refusal{"ValidationException", "NextToken is not valid."}},
		"token of none":  {sdkaccount.ListRegionsInput{NextToken: aws.String("bm93aGVyZQ")}, refusal{"ValidationException", "NextToken is not valid."}},
	} {
		_, err := c.ListRegions(context.Background(), &x.in)
		checkRefusal(t, name, err, x.want, http.StatusBadRequest)
	}
	_, err := c.ListRegions(context.Background(), &sdkaccount.ListRegionsInput{AccountId: aws.String("999999999999")})
	denied := refusal{"AccessDeniedException", "User: arn:aws:iam::" + scope.Account + ":root is not authorized to perform: account:ListRegions"}
	checkRefusal(t, "other account", err, denied, http.StatusForbidden)
}
