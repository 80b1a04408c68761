package ecs

import (
	"context"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// rules checks what leads production and test traffic, in AWS's words.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
func (c *connector) rules(a *service.Advanced) error {
	for _, said := range []struct{ member, rule string }{{"productionListenerRule", a.ProductionRule}, {"testListenerRule", a.TestRule}} {
		switch {
		case said.rule == "":
		case !leads(said.rule):
			return invalid("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", said.member, said.rule)
		case !c.rule(said.rule):
			return invalid("The listener rule %s does not exist.", said.rule)
		}
	}
	if a.ProductionRule == a.TestRule {
		return invalid("The following rules cannot be used as both production and test listener rules: %s", a.TestRule)
	}
	return nil
}

// leads tells whether an ARN is of what may lead to a service whose traffic shifts: a
// rule of an Application balancer, or a listener of a Network balancer.
func leads(ref string) bool {
	a, err := arn.Parse(ref)
	if err != nil || len(a.Path()) == 0 {
		return false
	}
	kind, of := a.Kind(), a.Path()[0]
	return kind == "listener-rule" && of == "app" || kind == "listener" && of == "net"
}

// rule tells whether there is one, a listener's default one among them, or a listener.
func (c *connector) rule(ref string) bool {
	_, own := store.ListenerRules.Get(c.r, ref)
	_, listener := store.Listeners.Get(c.r, ref)
	_, standard := store.DefaultRuleOf(c.r, ref)
	return own || listener || standard
}

// checkBalancers refuses roles by which ECS may not change the rules that lead to a
// service.
func (a *API) checkBalancers(ctx context.Context, r store.Reader, s *service.Service) error {
	if a.leads == nil {
		return nil
	}
	for i := range s.Spec.Template.Balancers {
		more := s.Spec.Template.Balancers[i].Advanced
		if more == nil {
			continue
		}
		for _, rule := range []string{more.ProductionRule, more.TestRule} {
			if rule == "" {
				continue
			}
			if err := a.leads(ctx, r, more.RoleARN, s.ARN, rule); err != nil {
				return invalid("Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being passed has the proper permissions.").WithHint("%v", err)
			}
		}
	}
	return nil
}
