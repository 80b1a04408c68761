package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
)

// Reasons of failures[] that are not placement's.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
const (
	reasonMissing  = "MISSING"
	reasonInactive = "INACTIVE"
)

func failure(resource, reason, detail string) ecs.Failure {
	return ecs.Failure{Arn: member.Present(resource), Reason: &reason, Detail: member.Present(detail)}
}
