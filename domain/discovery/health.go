package discovery

import "maps"

// Health of an instance as callers see it.
const (
	Healthy   = "HEALTHY"
	Unhealthy = "UNHEALTHY"
	Unknown   = "UNKNOWN"
)

// Filters of DiscoverInstances beside Healthy and Unhealthy.
const (
	All              = "ALL"
	HealthyOrElseAll = "HEALTHY_OR_ELSE_ALL"
)

// Checked tells whether somebody says how healthy the service's instances are.
func (s *Service) Checked() bool { return s.CustomCheck != nil || s.Health != nil }

// Status is the health of an instance of the service; nobody knows that of one whose
// service has no health check.
func (s *Service) Status(i *Instance) string {
	switch {
	case !s.Checked():
		return Unknown
	case i.Unhealthy:
		return Unhealthy
	}
	return Healthy
}

// Query is what DiscoverInstances asks for.
type Query struct {
	Health string // empty for HealthyOrElseAll
	// Required attributes instances must have; of those that do, the ones that have
	// the Optional ones too are preferred.
	Required, Optional map[string]string
	Most               int
}

// Find chooses instances.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html
func (q *Query) Find(s *Service, instances []*Instance) []*Instance {
	found := having(instances, q.Required)
	if preferred := having(found, q.Optional); len(preferred) > 0 {
		found = preferred
	}
	if s.Checked() {
		found = q.inHealth(found)
	}
	return found[:min(len(found), q.Most)]
}

func (q *Query) inHealth(list []*Instance) []*Instance {
	var well, ill []*Instance
	for _, i := range list {
		if i.Unhealthy {
			ill = append(ill, i)
		} else {
			well = append(well, i)
		}
	}
	switch {
	case q.Health == All, q.Health != Healthy && q.Health != Unhealthy && len(well) == 0:
		return list
	case q.Health == Unhealthy:
		return ill
	}
	return well
}

func having(list []*Instance, attributes map[string]string) (out []*Instance) {
	for _, i := range list {
		merged := maps.Clone(i.Attributes)
		maps.Copy(merged, attributes)
		if maps.Equal(merged, i.Attributes) {
			out = append(out, i)
		}
	}
	return out
}
