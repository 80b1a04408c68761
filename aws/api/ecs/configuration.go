package ecs

import (
	"math"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
)

// defaultConfiguration is what a service has that says nothing.
func defaultConfiguration(spec *service.Spec) service.Configuration {
	if spec.Scheduling == service.Daemon {
		return service.Configuration{Strategy: service.Rolling, MaximumPercent: 100, MinimumPercent: 0}
	}
	return service.Configuration{Strategy: service.Rolling, MaximumPercent: 200, MinimumPercent: 100}
}

// readConfiguration reads a deployment configuration over the one there is. What
// is given as a structure replaces the structure before.
func readConfiguration(in *ecs.DeploymentConfiguration, c service.Configuration, spec *service.Spec) (service.Configuration, error) {
	if in == nil {
		return c, nil
	}
	if in.MaximumPercent != nil {
		c.MaximumPercent = int(*in.MaximumPercent)
	}
	if in.MinimumHealthyPercent != nil {
		c.MinimumPercent = int(*in.MinimumHealthyPercent)
	}
	if in.BakeTimeInMinutes != nil {
		c.BakeMinutes = optionalInt(in.BakeTimeInMinutes)
	}
	if in.Strategy != "" {
		if !slices.Contains(in.Strategy.Values(), string(in.Strategy)) {
			return c, invalid("deployment strategy should be one of [%s]", strings.Join(in.Strategy.Values(), ","))
		}
		c.Strategy = service.Strategy(in.Strategy)
	}
	var err error
	for _, read := range []func() error{
		func() error { return readBreaker(&c, in.DeploymentCircuitBreaker, spec) },
		func() error { return readAlarms(&c, in.Alarms) },
		func() error { c.Hooks, err = readHooks(in.LifecycleHooks, c.Hooks); return err },
		func() error { return readShifts(&c, in) },
		func() error { return readEarlySuccess(&c, in.EarlySuccessCriteria) },
	} {
		if err := read(); err != nil {
			return c, err
		}
	}
	return c, checkConfiguration(&c, spec)
}

func checkConfiguration(c *service.Configuration, spec *service.Spec) error {
	switch {
	case c.MinimumPercent < 0 || c.MaximumPercent < 0:
		return invalid("minimumHealthyPercent and maximumPercent can not be negative.")
	case spec.Scheduling == service.Daemon && c.MaximumPercent != 100:
		return invalid("The daemon scheduling strategy does not support values other than 100 for maximumPercent on a deployment configuration. Change the maximumPercent value to 100, and try again.")
	case spec.Scheduling == service.Daemon && c.MinimumPercent > 100:
		return invalid("The minimumHealthyPercent must be at most 100.")
	case spec.Scheduling == service.Replica && c.MaximumPercent < 100:
		return invalid("The maximumPercent must be at least 100.")
	case c.MaximumPercent < c.MinimumPercent:
		return invalid("The maximumPercent must not be less than the minimumHealthyPercent.")
	case c.MinimumPercent == 100 && c.MaximumPercent == 100:
		return invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case c.BakeMinutes != nil && (*c.BakeMinutes < 0 || *c.BakeMinutes > 1440):
		return invalid("bakeTimeInMinutes should be between 0 and 1440")
	case c.Strategy != service.Rolling && spec.Controller != service.ControllerECS:
		return invalid("The deployment strategy %s is only supported with the ECS deployment controller.", c.Strategy)
	case c.Strategy != service.Rolling && spec.Scheduling == service.Daemon:
		return invalid("The daemon scheduling strategy is only supported with the ROLLING deployment strategy.")
	}
	return nil
}

func readBreaker(c *service.Configuration, in *ecs.DeploymentCircuitBreaker, spec *service.Spec) error {
	if in == nil {
		return nil
	}
	b := &service.Breaker{Enable: member.Value(in.Enable), Rollback: member.Value(in.Rollback)}
	if in.ResetOnHealthyTask != nil {
		b.KeepCount = !*in.ResetOnHealthyTask
	}
	if b.Enable && spec.Controller != service.ControllerECS {
		return invalid("The deployment circuit breaker is only supported with the ECS deployment controller.")
	}
	if t := in.ThresholdConfiguration; t != nil {
		if !slices.Contains(t.Type.Values(), string(t.Type)) {
			return invalid("threshold type should be one of [%s]", strings.Join(t.Type.Values(), ","))
		}
		b.Threshold = &service.Threshold{Type: string(t.Type), Value: int(member.Value(t.Value))}
		if b.Threshold.Value < 1 || t.Type != ecs.ThresholdTypeCount && b.Threshold.Value > 100 {
			return invalid("The value of the threshold configuration is out of range.").WithHint("a COUNT is at least 1, a percentage between 1 and 100")
		}
	}
	c.Breaker = b
	return nil
}

func readAlarms(c *service.Configuration, in *ecs.DeploymentAlarms) error {
	if in == nil {
		return nil
	}
	a := &service.Alarms{Names: in.AlarmNames, Enable: member.Value(in.Enable), Rollback: member.Value(in.Rollback)}
	if a.Enable && len(a.Names) == 0 {
		return invalid("alarmNames can not be empty when alarms are enabled.")
	}
	c.Alarms = a
	return nil
}

// Bounds of traffic shifting.
const (
	maxBake           = 1440
	linearPercent     = 10.0
	linearBake        = 6
	canaryPercent     = 5.0
	canaryBake        = 10
	minLinear         = 3.0
	minCanary         = 0.1
	maxPercentOfShift = 100.0
)

func readShifts(c *service.Configuration, in *ecs.DeploymentConfiguration) error {
	if l := in.LinearConfiguration; l != nil {
		c.Linear = readShift(l.StepPercent, l.StepBakeTimeInMinutes, linearPercent, linearBake)
	}
	if l := in.CanaryConfiguration; l != nil {
		c.Canary = readShift(l.CanaryPercent, l.CanaryBakeTimeInMinutes, canaryPercent, canaryBake)
	}
	switch {
	case in.LinearConfiguration != nil && c.Strategy != service.Linear:
		return invalid("linearConfiguration is only valid with the LINEAR deployment strategy.")
	case in.CanaryConfiguration != nil && c.Strategy != service.Canary:
		return invalid("canaryConfiguration is only valid with the CANARY deployment strategy.")
	case c.Strategy == service.Linear && c.Linear == nil:
		c.Linear = &service.Shift{Percent: linearPercent, BakeMinutes: linearBake}
	case c.Strategy == service.Canary && c.Canary == nil:
		c.Canary = &service.Shift{Percent: canaryPercent, BakeMinutes: canaryBake}
	}
	if err := checkShift("stepPercent", c.Linear, minLinear); err != nil {
		return err
	}
	return checkShift("canaryPercent", c.Canary, minCanary)
}

func readShift(percent *float64, bake *int32, percentDefault float64, bakeDefault int) *service.Shift {
	s := &service.Shift{Percent: percentDefault, BakeMinutes: bakeDefault}
	if percent != nil {
		s.Percent = *percent
	}
	if bake != nil {
		s.BakeMinutes = int(*bake)
	}
	return s
}

func checkShift(name string, s *service.Shift, least float64) error {
	switch {
	case s == nil:
	case s.Percent < least || s.Percent > maxPercentOfShift:
		return invalid("%s should be between %.1f and %.1f", name, least, maxPercentOfShift)
	case math.Abs(math.Round(s.Percent*10)-s.Percent*10) > 1e-6:
		return invalid("%s should be a multiple of 0.1", name)
	case s.BakeMinutes < 0 || s.BakeMinutes > maxBake:
		return invalid("the bake time should be between 0 and %d minutes", maxBake)
	}
	return nil
}

func readEarlySuccess(c *service.Configuration, in *ecs.DeploymentEarlySuccessCriteria) error {
	if in == nil {
		return nil
	}
	e := &service.EarlySuccess{Enable: member.Value(in.Enable), HealthyPercent: optionalInt(in.HealthyPercent), Cleanup: string(in.SourceServiceRevisionCleanup)}
	if e.Enable {
		switch {
		case e.HealthyPercent == nil || e.Cleanup == "":
			return invalid("healthyPercent and sourceServiceRevisionCleanup are required when earlySuccessCriteria is enabled.")
		case *e.HealthyPercent < c.MinimumPercent || *e.HealthyPercent > 100:
			return invalid("healthyPercent should be between minimumHealthyPercent and 100")
		case c.Strategy != service.Rolling:
			return invalid("earlySuccessCriteria is only valid with the ROLLING deployment strategy.")
		case !slices.Contains(in.SourceServiceRevisionCleanup.Values(), e.Cleanup):
			return invalid("sourceServiceRevisionCleanup should be one of [%s]", strings.Join(in.SourceServiceRevisionCleanup.Values(), ","))
		}
	}
	c.EarlySuccess = e
	return nil
}
