package server

import (
	"context"

	"github.com/berthhq/berth/aws/api/s3"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/plane/relay"
)

// asker asks the gateway's authoriser about one need of a front.
type asker struct{ gateway.Authoriser }

// Authorise implements the Authoriser of s3 and relay.
func (a asker) Authorise(ctx context.Context, call *gateway.Call, need gateway.Need) error {
	return a.Authoriser.Authorise(ctx, call, need.Action)
}

// fronts answer services past the gateway's pipeline: S3, and those of engines.
func (s *Server) fronts(who asker) map[string]gateway.Front {
	fronts := map[string]gateway.Front{}
	for _, e := range s.Engines {
		fronts[e.Service] = relay.New(e, who, s.Log)
	}
	if s.Objects != "" && fronts[s3.Scope] == nil {
		fronts[s3.Scope] = s3.New(s3.Config{
			Store: s.store, Objects: objects.Dial(s.Objects), Keys: objects.Keys(), Region: objects.Region,
			Authoriser: who, CheckPolicy: checkBucketPolicy,
		})
	}
	return fronts
}

func checkBucketPolicy(text string) error {
	_, err := policy.Parse(text, policy.Resource)
	return err
}
