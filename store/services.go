package store

import (
	"fmt"

	"github.com/berthhq/berth/domain/service"
)

// Services by ARN.
var Services = &Table[service.Service]{
	ID: services, Noun: "service", Schema: 1,
	Primary: func(s *service.Service) string { return s.ARN },
	Indexes: []*Index[service.Service]{ServicesByCluster, ServicesByNamespace, ServicesAsleep, ServicesExpress},
}

// ServicesByCluster finds the services of a cluster by its ARN, those INACTIVE
// included.
var ServicesByCluster = &Index[service.Service]{
	Key: func(s *service.Service) string { return s.ClusterARN },
}

// ServicesByNamespace finds services that Service Connect has in a namespace, by ScopeKey
// of its id.
var ServicesByNamespace = &Index[service.Service]{
	Key: func(s *service.Service) string {
		if id := s.Spec.Template.Connects(); id != "" {
			return ScopeKey(s.Scope, id)
		}
		return ""
	},
}

// ServicesExpress finds, under Express, the Express gateway services that have a way in.
var ServicesExpress = &Index[service.Service]{
	Key: func(s *service.Service) string {
		if s.Status == service.Inactive || s.Spec.Template.Express == nil || s.Spec.Template.Express.Ingress == nil {
			return ""
		}
		return Express
	},
}

// Express is the one key of ServicesExpress.
const Express = "express"

// ServiceRevisions by ARN.
var ServiceRevisions = &Table[service.Revision]{
	ID: serviceRevisions, Noun: "service-revision", Schema: 1,
	Primary: func(r *service.Revision) string { return r.ARN },
	Indexes: []*Index[service.Revision]{RevisionsByService},
}

// RevisionsByService orders the revisions of a service, by its ARN, by age.
var RevisionsByService = &Index[service.Revision]{
	Key:  func(r *service.Revision) string { return r.ServiceARN },
	Rank: func(r *service.Revision) int64 { return r.CreatedAt.UnixNano() },
}

// Rollouts are the service deployments by ARN.
var Rollouts = &Table[service.Rollout]{
	ID: rollouts, Noun: "rollout", Schema: 1,
	Primary: func(r *service.Rollout) string { return r.ARN },
	Indexes: []*Index[service.Rollout]{RolloutsByService},
}

// RolloutsByService orders the service deployments of a service, by its ARN, by
// age.
var RolloutsByService = &Index[service.Rollout]{
	Key:  func(r *service.Rollout) string { return r.ServiceARN },
	Rank: func(r *service.Rollout) int64 { return r.CreatedAt.UnixNano() },
}

// ServiceEvents by ServiceEventKey.
var ServiceEvents = &Table[service.Event]{
	ID: serviceEvents, Noun: "service-event", Schema: 1,
	Primary: func(e *service.Event) string { return ServiceEventKey(e.ServiceARN, e.Sequence) },
}

// ServiceEventKey orders the events of a service: those of one share the prefix
// ServiceEventKey(arn, 0) without its digits.
func ServiceEventKey(serviceARN string, sequence int64) string {
	return fmt.Sprintf("%s#%016d", serviceARN, sequence)
}

// ServiceEventPrefix is what the keys of a service's events have in common.
func ServiceEventPrefix(serviceARN string) string { return serviceARN + "#" }
