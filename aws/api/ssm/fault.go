package ssm

import "github.com/berthhq/berth/domain/fault"

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func notFound(name string) *fault.Fault {
	return fault.New(fault.ParameterNotFound, "Parameter %s not found.", name)
}
