package balancers_test

import (
	"fmt"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func path(values ...string) types.RuleCondition {
	return types.RuleCondition{Field: new("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: values}}
}

// ruled makes a listener with one target group.
func (h *house) ruled() (listener, group string) {
	group = h.targets("blue", types.ProtocolEnumHttp)
	return h.listener(h.alb("web"), types.ProtocolEnumHttp, 80, group), group
}

func (h *house) rule(listener, group string, priority int32, conditions ...types.RuleCondition) (*types.Rule, error) {
	out, err := h.CreateRule(background, &elb.CreateRuleInput{ListenerArn: &listener, Priority: &priority, Conditions: conditions, Actions: []types.Action{forward(group)}})
	if err != nil {
		return nil, err
	}
	return &out.Rules[0], nil
}

func (h *house) rules(listener string) []types.Rule {
	return done[*elb.DescribeRulesOutput](h.t)(h.DescribeRules(background, &elb.DescribeRulesInput{ListenerArn: &listener})).Rules
}

// What Terraform's aws_lb_listener_rule does, with every condition.
func TestRuleLivesAsTerraformAsks(t *testing.T) {
	h := open(t)
	listener, group := h.ruled()
	sent := []types.RuleCondition{
		{Field: new("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"*.example.com"}}},
		{Field: new("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: new("X-Kind"), RegexValues: []string{"^a+$"}}},
		{Field: new("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{"GET"}}},
		{Field: new("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{{Key: new("k"), Value: new("v*")}}}},
		{Field: new("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}},
	}
	transforms := []types.RuleTransform{
		{Type: types.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &types.UrlRewriteConfig{Rewrites: []types.RewriteConfig{{Regex: new("^/a/(.*)$"), Replace: new("/$1")}}}},
	}
	r := done[*elb.CreateRuleOutput](t)(h.CreateRule(background, &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: new(int32(10)), Conditions: sent, Actions: []types.Action{forward(group)}, Transforms: transforms,
		Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	})).Rules[0]
	equal(t, "conditions", r.Conditions, sent)
	equal(t, "transforms", r.Transforms, transforms)
	equal(t, "actions", r.Actions, []types.Action{forward(group)})
	equal(t, "priority", *r.Priority, "10")
	one := done[*elb.DescribeRulesOutput](t)(h.DescribeRules(background, &elb.DescribeRulesInput{RuleArns: []string{*r.RuleArn}})).Rules
	equal(t, "read back", one, []types.Rule{r})

	all := h.rules(listener)
	if len(all) != 2 || !*all[1].IsDefault || *all[1].Priority != "default" || len(all[1].Conditions) != 0 {
		t.Fatalf("rules %+v", all)
	}
	_, err := h.DeleteRule(background, &elb.DeleteRuleInput{RuleArn: all[1].RuleArn})
	refused(t, err, "OperationNotPermitted", "Default rule")

	plain := []types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/a/*"}}}
	changed := done[*elb.ModifyRuleOutput](t)(h.ModifyRule(background, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Conditions: plain, ResetTransforms: new(true)})).Rules[0]
	equal(t, "conditions after a change", changed.Conditions, plain)
	equal(t, "transforms after a change", len(changed.Transforms), 0)

	moved := done[*elb.SetRulePrioritiesOutput](t)(h.SetRulePriorities(background, &elb.SetRulePrioritiesInput{
		RulePriorities: []types.RulePriorityPair{{RuleArn: r.RuleArn, Priority: new(int32(20))}},
	})).Rules
	equal(t, "priority after moving", *moved[0].Priority, "20")
	done[*elb.DeleteRuleOutput](t)(h.DeleteRule(background, &elb.DeleteRuleInput{RuleArn: r.RuleArn}))
	_, err = h.DeleteRule(background, &elb.DeleteRuleInput{RuleArn: r.RuleArn})
	refused(t, err, "RuleNotFound", "")
}

func TestRulesKeepTheirPrioritiesApart(t *testing.T) {
	h := open(t)
	listener, group := h.ruled()
	one := done[*types.Rule](t)(h.rule(listener, group, 1, path("/1")))
	two := done[*types.Rule](t)(h.rule(listener, group, 2, path("/2")))
	three := done[*types.Rule](t)(h.rule(listener, group, 3, path("/3")))
	_, err := h.rule(listener, group, 2, path("/4"))
	refused(t, err, "PriorityInUse", "Priority '2' is currently in use")
	move := func(pairs ...types.RulePriorityPair) error {
		_, err := h.SetRulePriorities(background, &elb.SetRulePrioritiesInput{RulePriorities: pairs})
		return err
	}
	to := func(r *types.Rule, priority int32) types.RulePriorityPair {
		return types.RulePriorityPair{RuleArn: r.RuleArn, Priority: &priority}
	}
	refused(t, move(to(one, 3)), "PriorityInUse", "")
	refused(t, move(to(one, 9), to(two, 9)), "PriorityInUse", "")
	if err := move(to(one, 3), to(three, 1)); err != nil { // they change places
		t.Fatal(err)
	}
	var order []string
	for _, r := range h.rules(listener) {
		order = append(order, *r.RuleArn)
	}
	equal(t, "order", order[:3], []string{*three.RuleArn, *two.RuleArn, *one.RuleArn})
}

func TestRulesThatCannotBe(t *testing.T) {
	h := open(t)
	listener, group := h.ruled()
	field := func(name string) types.RuleCondition { return types.RuleCondition{Field: &name} }
	method := func(values ...string) types.RuleCondition {
		return types.RuleCondition{Field: new("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: values}}
	}
	for _, c := range []struct {
		conditions  []types.RuleCondition
		kind, words string
	}{
		{[]types.RuleCondition{path("1", "2", "3", "4", "5", "6")}, "ValidationError", "Rule cannot have more than '5' condition values"},
		{[]types.RuleCondition{path("/*/*/*/*/*/*/*")}, "ValidationError", "Rule cannot have more than '6' condition wildcards"},
		{[]types.RuleCondition{path("/a"), path("/b")}, "InvalidLoadBalancerAction", "more than one condition with field 'path-pattern'"},
		{[]types.RuleCondition{field("what")}, "ValidationError", ""},
		{[]types.RuleCondition{field("path-pattern")}, "ValidationError", "A condition value must be specified"},
		{[]types.RuleCondition{method("get")}, "ValidationError", "The HTTP request method 'get' is not valid"},
		{[]types.RuleCondition{{Field: new("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.1/8"}}}}, "ValidationError", "must be a valid CIDR block"},
		{[]types.RuleCondition{{Field: new("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{RegexValues: []string{"("}}}}, "ValidationError", "is not valid"},
	} {
		_, err := h.rule(listener, group, 7, c.conditions...)
		refused(t, err, c.kind, c.words)
	}
	net := h.listener(h.nlb("net"), types.ProtocolEnumTcp, 80, h.targets("tcp", types.ProtocolEnumTcp))
	_, err := h.rule(net, group, 1, path("/"))
	refused(t, err, "InvalidConfigurationRequest", "Rules are not supported")
}

func TestABalancerHasAHundredRules(t *testing.T) {
	h := open(t)
	listener, group := h.ruled()
	for n := range int32(100) {
		done[*types.Rule](t)(h.rule(listener, group, n+1, path(fmt.Sprint("/", n))))
	}
	_, err := h.rule(listener, group, 101, path("/more"))
	refused(t, err, "TooManyRules", "")
	first := done[*elb.DescribeRulesOutput](t)(h.DescribeRules(background, &elb.DescribeRulesInput{ListenerArn: &listener, PageSize: new(int32(99))}))
	rest := done[*elb.DescribeRulesOutput](t)(h.DescribeRules(background, &elb.DescribeRulesInput{ListenerArn: &listener, Marker: first.NextMarker}))
	equal(t, "pages", [2]int{len(first.Rules), len(rest.Rules)}, [2]int{99, 2})
	equal(t, "the last", *rest.Rules[1].Priority, "default")
}
