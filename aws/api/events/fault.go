package events

import (
	"github.com/berthhq/berth/domain/fault"
)

// invalid is the fault for what cannot be.
func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func missing(format string, args ...any) *fault.Fault {
	return fault.New(fault.ResourceNotFound, format, args...)
}

func tooMany() *fault.Fault {
	return fault.New(fault.LimitExceeded, "The requested resource exceeds the maximum number allowed.")
}
