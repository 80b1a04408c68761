package server

import (
	"github.com/berthhq/berth/aws/api/s3"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/plane/relay"
)

// fronts answer services past the gateway's pipeline: S3, and those of engines.
func (s *Server) fronts() map[string]gateway.Front {
	fronts := map[string]gateway.Front{}
	for _, e := range s.Engines {
		fronts[e.Service] = relay.New(e, s.access, s.Log)
	}
	if s.Objects != "" && fronts[s3.Scope] == nil {
		fronts[s3.Scope] = s3.New(s3.Config{
			Store: s.store, Objects: objects.Dial(s.Objects), Keys: objects.Keys(), Region: objects.Region,
			Authoriser: s.access, CheckPolicy: checkBucketPolicy,
		})
	}
	return fronts
}

func checkBucketPolicy(text string) error {
	_, err := policy.Parse(text, policy.Resource)
	return err
}
