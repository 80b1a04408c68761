package kms

import (
	"github.com/berthhq/berth/domain/fault"
)

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}
