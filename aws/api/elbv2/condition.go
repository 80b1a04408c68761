package elbv2

import (
	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
)

// readConditions reads the conditions of a rule. What they may be the domain checks.
func readConditions(in []shape.RuleCondition) ([]balancer.Condition, error) {
	var all []balancer.Condition
	for n := range in {
		c, err := readCondition(&in[n])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, balancer.CheckConditions(all)
}

func readCondition(in *shape.RuleCondition) (balancer.Condition, error) {
	c := balancer.Condition{Field: member.Value(in.Field), Values: in.Values, Regex: in.RegexValues}
	c.Plain = len(in.Values)+len(in.RegexValues) > 0
	if c.Plain && c.Field != balancer.HostHeader && c.Field != balancer.PathPattern {
		return c, invalid("Condition values of field '%s' must be specified by its config", c.Field)
	}
	if configs(in) > 1 || c.Plain && configs(in) > 0 {
		return c, invalid("A condition must have exactly one of values and the config of its field")
	}
	readConfig(in, &c)
	return c, nil
}

// configs counts the configs that a condition came with.
func configs(in *shape.RuleCondition) (n int) {
	for _, there := range []bool{
		in.HostHeaderConfig != nil, in.PathPatternConfig != nil, in.HttpHeaderConfig != nil,
		in.QueryStringConfig != nil, in.HttpRequestMethodConfig != nil, in.SourceIpConfig != nil,
	} {
		if there {
			n++
		}
	}
	return n
}

// readConfig reads the config of a condition's own field; others count as none.
func readConfig(in *shape.RuleCondition, c *balancer.Condition) {
	switch {
	case c.Field == balancer.HostHeader && in.HostHeaderConfig != nil:
		c.Values, c.Regex = in.HostHeaderConfig.Values, in.HostHeaderConfig.RegexValues
	case c.Field == balancer.PathPattern && in.PathPatternConfig != nil:
		c.Values, c.Regex = in.PathPatternConfig.Values, in.PathPatternConfig.RegexValues
	case c.Field == balancer.HTTPHeader && in.HttpHeaderConfig != nil:
		c.Header = member.Value(in.HttpHeaderConfig.HttpHeaderName)
		c.Values, c.Regex = in.HttpHeaderConfig.Values, in.HttpHeaderConfig.RegexValues
	case c.Field == balancer.QueryString && in.QueryStringConfig != nil:
		c.Query = member.Some(in.QueryStringConfig.Values, func(q *shape.QueryStringKeyValuePair) balancer.Query {
			return balancer.Query{Key: member.Value(q.Key), Value: member.Value(q.Value)}
		})
	case c.Field == balancer.RequestMethod && in.HttpRequestMethodConfig != nil:
		c.Values = in.HttpRequestMethodConfig.Values
	case c.Field == balancer.SourceIP && in.SourceIpConfig != nil:
		c.Values = in.SourceIpConfig.Values
	}
}

// showCondition gives a condition back the way it came.
func showCondition(c *balancer.Condition) shape.RuleCondition {
	out := shape.RuleCondition{Field: &c.Field}
	if c.Plain {
		out.Values, out.RegexValues = c.Values, c.Regex
		return out
	}
	switch c.Field {
	case balancer.HostHeader:
		out.HostHeaderConfig = &shape.HostHeaderConditionConfig{Values: c.Values, RegexValues: c.Regex}
	case balancer.PathPattern:
		out.PathPatternConfig = &shape.PathPatternConditionConfig{Values: c.Values, RegexValues: c.Regex}
	case balancer.HTTPHeader:
		out.HttpHeaderConfig = &shape.HttpHeaderConditionConfig{HttpHeaderName: &c.Header, Values: c.Values, RegexValues: c.Regex}
	case balancer.QueryString:
		out.QueryStringConfig = &shape.QueryStringConditionConfig{Values: member.Each(c.Query, func(q *balancer.Query) shape.QueryStringKeyValuePair {
			return shape.QueryStringKeyValuePair{Key: member.Present(q.Key), Value: &q.Value}
		})}
	case balancer.RequestMethod:
		out.HttpRequestMethodConfig = &shape.HttpRequestMethodConditionConfig{Values: c.Values}
	case balancer.SourceIP:
		out.SourceIpConfig = &shape.SourceIpConditionConfig{Values: c.Values}
	}
	return out
}

// readTransforms reads what rewrites requests: one rewrite for each transform.
func readTransforms(in []shape.RuleTransform) ([]balancer.Transform, error) {
	var all []balancer.Transform
	for n := range in {
		t := &in[n]
		var rewrites []shape.RewriteConfig
		switch {
		case t.Type == shape.TransformTypeEnumHostHeaderRewrite && t.HostHeaderRewriteConfig != nil:
			rewrites = t.HostHeaderRewriteConfig.Rewrites
		case t.Type == shape.TransformTypeEnumUrlRewrite && t.UrlRewriteConfig != nil:
			rewrites = t.UrlRewriteConfig.Rewrites
		}
		if len(rewrites) != 1 {
			return nil, invalid("A transform of type '%s' must have exactly one rewrite", t.Type)
		}
		all = append(all, balancer.Transform{Type: string(t.Type), Regex: *rewrites[0].Regex, Replace: *rewrites[0].Replace})
	}
	return all, balancer.CheckTransforms(all)
}

func showTransform(t *balancer.Transform) shape.RuleTransform {
	out := shape.RuleTransform{Type: shape.TransformTypeEnum(t.Type)}
	rewrites := []shape.RewriteConfig{{Regex: &t.Regex, Replace: &t.Replace}}
	if out.Type == shape.TransformTypeEnumHostHeaderRewrite {
		out.HostHeaderRewriteConfig = &shape.HostHeaderRewriteConfig{Rewrites: rewrites}
	} else {
		out.UrlRewriteConfig = &shape.UrlRewriteConfig{Rewrites: rewrites}
	}
	return out
}
