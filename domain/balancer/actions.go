package balancer

import (
	"net/url"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// Limits of actions.
const (
	maxGroupsOfAction = 5
	maxWeight         = 999
)

// CheckActions refuses actions that a listener or rule of the protocol cannot have.
func CheckActions(all []Action, protocol string) error {
	if len(all) == 0 {
		return fault.New(fault.Validation, "An action must be specified")
	}
	if err := checkOrder(all); err != nil {
		return err
	}
	last := lastAction(all)
	for n := range all {
		a := &all[n]
		if !a.final() && a == last {
			return fault.New(fault.InvalidLoadBalancerAction, "The last action must be one of the following: 'forward, redirect, fixed-response'").
				WithHint("an action of type %s needs one that follows it", a.Type)
		}
		if a.final() && a != last {
			return fault.New(fault.InvalidLoadBalancerAction, "The action of type '%s' must be the last one", a.Type)
		}
		if err := a.check(protocol); err != nil {
			return err
		}
	}
	if len(all) > 2 {
		return fault.New(fault.TooManyActions, "Rules and listeners cannot have more than one authenticate or jwt-validation action before the last one")
	}
	return nil
}

// checkOrder wants orders that differ where there is more than one action.
func checkOrder(all []Action) error {
	if len(all) == 1 {
		return nil
	}
	var seen []int
	for _, a := range all {
		if a.Order < 1 || a.Order > 50000 || slices.Contains(seen, a.Order) {
			return fault.New(fault.Validation, "Each action must have an order between 1 and 50000 that no other has")
		}
		seen = append(seen, a.Order)
	}
	return nil
}

func lastAction(all []Action) *Action {
	last := &all[0]
	for n := range all {
		if all[n].Order >= last.Order {
			last = &all[n]
		}
	}
	return last
}

// InOrder are the actions as they are carried out.
func InOrder(all []Action) []Action {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Action) int { return a.Order - b.Order })
}

func (a *Action) final() bool {
	return a.Type == Forward || a.Type == Redirect || a.Type == FixedResponse
}

func (a *Action) check(protocol string) error {
	http := protocol == "HTTP" || protocol == "HTTPS"
	if !http && a.Type != Forward {
		return fault.New(fault.InvalidLoadBalancerAction, "Actions of type '%s' are not supported for listeners with protocol '%s'", a.Type, protocol)
	}
	switch a.Type {
	case Forward:
		return a.Forward.check(http)
	case Redirect:
		return a.Redirect.check()
	case FixedResponse:
		return a.Fixed.check()
	}
	if protocol != "HTTPS" {
		return fault.New(fault.InvalidLoadBalancerAction, "Actions of type '%s' are supported only on HTTPS listeners", a.Type)
	}
	if a.OIDC != nil {
		return a.OIDC.check()
	}
	return a.JWT.check()
}

func (f *ForwardAction) check(http bool) error {
	switch {
	case f == nil || len(f.Groups) == 0:
		return fault.New(fault.Validation, "A target group ARN must be specified")
	case len(f.Groups) > maxGroupsOfAction:
		return fault.New(fault.TooManyUniqueTargetGroups, "A forward action cannot have more than '%d' target groups", maxGroupsOfAction)
	case !http && f.Stickiness:
		return fault.New(fault.InvalidLoadBalancerAction, "Target group stickiness is supported only on HTTP and HTTPS listeners")
	case f.Stickiness && (f.StickinessSeconds < 1 || f.StickinessSeconds > week):
		return fault.New(fault.Validation, "Target group stickiness duration must be between 1 and %d seconds", week)
	}
	var seen []string
	for _, g := range f.Groups {
		if g.Weight < 0 || g.Weight > maxWeight {
			return fault.New(fault.Validation, "Target group weight must be between 0 and %d", maxWeight)
		}
		if slices.Contains(seen, g.GroupARN) {
			return fault.New(fault.Validation, "Target group '%s' is specified more than once", g.GroupARN)
		}
		seen = append(seen, g.GroupARN)
	}
	return nil
}

func (r *RedirectAction) check() error {
	if r == nil {
		return fault.New(fault.Validation, "A redirect action must have a RedirectConfig")
	}
	if !strings.HasPrefix(r.Path, "/") {
		return fault.New(fault.Validation, "The redirect path must start with '/'")
	}
	if r.Protocol == "#{protocol}" && r.Host == "#{host}" && r.Port == "#{port}" && r.Path == "/#{path}" {
		return fault.New(fault.InvalidLoadBalancerAction, "The redirect configuration would lead to a redirect loop").
			WithHint("change at least one of protocol, host, port and path")
	}
	return nil
}

func (f *FixedAction) check() error {
	if f == nil {
		return fault.New(fault.Validation, "A fixed-response action must have a FixedResponseConfig")
	}
	types := []string{"", "text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	if !slices.Contains(types, f.ContentType) {
		return fault.New(fault.Validation, "The content type must be one of '%s'", strings.Join(types[1:], ", "))
	}
	return nil
}

func (o *OIDCAction) check() error {
	if o.UserPoolARN != "" {
		return nil
	}
	for _, endpoint := range []string{o.Issuer, o.AuthorizationEndpoint, o.TokenEndpoint, o.UserInfoEndpoint} {
		if err := checkHTTPS(endpoint); err != nil {
			return err
		}
	}
	if o.SessionSeconds < 1 || o.SessionSeconds > week {
		return fault.New(fault.Validation, "Session timeout must be between 1 and %d seconds", week)
	}
	return nil
}

func (j *JWTAction) check() error {
	if j == nil {
		return fault.New(fault.Validation, "A jwt-validation action must have a JwtValidationConfig")
	}
	if len(j.Claims) > 10 {
		return fault.New(fault.Validation, "A jwt-validation action cannot have more than 10 additional claims")
	}
	return checkHTTPS(j.JWKSEndpoint)
}

func checkHTTPS(endpoint string) error {
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		return fault.New(fault.Validation, "The endpoint '%s' must be an HTTPS URL", endpoint)
	}
	return nil
}
