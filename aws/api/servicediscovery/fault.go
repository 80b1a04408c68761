package servicediscovery

import (
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
)

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidMapInput, format, args...)
}

func namespaceNotFound(id string) *fault.Fault {
	return fault.New(fault.MapNamespaceNotFound, "Namespace not found: %s", id).
		WithHint("aws servicediscovery list-namespaces shows those there are")
}

func serviceNotFound(id string) *fault.Fault {
	return fault.New(fault.MapServiceNotFound, "Service not found: %s", id).
		WithHint("aws servicediscovery list-services shows those there are")
}

func instanceNotFound(id string) *fault.Fault {
	return fault.New(fault.MapInstanceNotFound, "Instance not found: %s", id)
}

func namespaceExists(n *discovery.Namespace) *fault.Fault {
	return fault.New(fault.MapNamespaceExists, "Namespace already exists.").
		With("NamespaceId", n.ID).With("CreatorRequestId", n.Token)
}

func serviceExists(s *discovery.Service) *fault.Fault {
	return fault.New(fault.MapServiceExists, "Service already exists.").
		With("ServiceId", s.ID).With("ServiceArn", s.ARN).With("CreatorRequestId", s.Token)
}

func badToken() *fault.Fault {
	return invalid("NextToken is not valid.").WithHint("send the NextToken of the page before, or none for the first page")
}
