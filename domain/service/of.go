package service

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/task"
)

// ARNOf is the ARN of the service that a task says it belongs to; empty for
// other tasks.
func ARNOf(t *task.Task) string {
	name, ok := strings.CutPrefix(t.Spec.Group, GroupPrefix)
	if !ok {
		return ""
	}
	a, err := arn.Parse(t.Spec.ClusterARN)
	if err != nil {
		return ""
	}
	return t.Scope.Service(a.Name(), name)
}
