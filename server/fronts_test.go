package server

import (
	"testing"

	"github.com/berthhq/berth/plane/relay"
)

func TestEnginesAreForWhatBerthDoesNotDo(t *testing.T) {
	for service, taken := range map[string]bool{"dynamodb": true, "sqs": true, "lambda": true, "s3": false, "iam": false, "ecs": false, "monitoring": false} {
		s := &Server{Config: Config{Objects: "objects.sock", Engines: []relay.Engine{{Service: service}}}}
		fronts, err := s.fronts()
		if taken != (err == nil) || taken && (fronts[service] == nil || fronts["s3"] == nil) {
			t.Errorf("%s: %v, %v", service, fronts, err)
		}
	}
}
