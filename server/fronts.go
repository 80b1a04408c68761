package server

import (
	"fmt"
	"slices"

	"github.com/berthhq/berth/aws/api/s3"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/plane/relay"
)

// fronts answer services past the gateway's pipeline: S3, and those of engines.
func (s *Server) fronts() (map[string]gateway.Front, error) {
	fronts := map[string]gateway.Front{}
	for _, e := range s.Engines {
		if own(e.Service) {
			return nil, fmt.Errorf("berth does %s itself: it takes no engine", e.Service)
		}
		fronts[e.Service] = relay.New(e, s.access, s.Log)
	}
	if s.Objects != "" {
		fronts[s3.Scope] = s3.New(s3.Config{
			Store: s.store, Objects: objects.Dial(s.Objects), Keys: objects.Keys(), Region: objects.Region,
			Authoriser: s.access, CheckPolicy: checkBucketPolicy,
		})
	}
	return fronts, nil
}

// own tells whether a service, by its name in signatures, is one of berth's.
func own(scope string) bool {
	return scope == s3.Scope || slices.ContainsFunc(offers(nil), func(o gateway.Offer) bool { return o.Service.Scope == scope })
}

func checkBucketPolicy(text string) error {
	_, err := policy.Parse(text, policy.Resource)
	return err
}
