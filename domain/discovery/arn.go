package discovery

import "github.com/berthhq/berth/domain/arn"

// Kinds of resources in ARNs.
const (
	KindNamespace = "namespace"
	KindService   = "service"
)

// ARN is that of a resource of a kind by its id.
func ARN(s arn.Scope, kind, id string) string { return s.Of("servicediscovery", kind+"/"+id) }
