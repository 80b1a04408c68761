package secretsmanager

import (
	"github.com/berthhq/berth/domain/fault"
)

func invalidParameter(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidParameter, format, args...)
}

func invalidRequest(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidRequest, format, args...)
}

func notFound() *fault.Fault {
	return fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret.")
}

func deleting() *fault.Fault {
	return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.").
		WithHint("aws secretsmanager restore-secret brings it back")
}
