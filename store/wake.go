package store

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
)

// ServicesAsleep finds services that have no healthy task until a request comes, by
// the ARNs of their target groups.
var ServicesAsleep = &Index[service.Service]{
	Keys: func(s *service.Service) []string {
		d := s.Primary()
		if !s.Asleep || s.Status != service.Active || d == nil {
			return nil
		}
		return s.Spec.Template.Groups(d.Alternate)
	},
}

// GroupUses are when target groups last had requests, by ARN: services
// sleep by it.
var GroupUses = &Table[balancer.Use]{
	ID: groupUses, Noun: "target-group-use", Schema: 1,
	Primary: func(u *balancer.Use) string { return u.GroupARN },
}

// Wake has the services behind target groups that sleep get a task.
func Wake(tx *Tx, groups []string, now time.Time) {
	for _, group := range groups {
		for _, s := range slices.Collect(Services.By(tx, ServicesAsleep, group)) {
			GroupUses.Put(tx, &balancer.Use{GroupARN: group, At: now})
			if s.Spec.Desired > 0 {
				continue // it is on its way
			}
			next := *s
			next.Spec.Desired = 1
			next.Version++
			Services.Put(tx, &next)
		}
	}
}

// Used notes that target groups had requests, once a minute at most.
func Used(tx *Tx, groups []string, now time.Time) {
	for _, group := range groups {
		if !Unnoted(tx, group, now) {
			continue
		}
		GroupUses.Put(tx, &balancer.Use{GroupARN: group, At: now})
	}
}

// Unnoted tells whether a use of a group is to be noted.
func Unnoted(r Reader, group string, now time.Time) bool {
	u, ok := GroupUses.Get(r, group)
	return !ok || now.Sub(u.At) >= time.Minute
}
