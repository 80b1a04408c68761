// Package servicediscovery answers the operations of AWS Cloud Map.
// https://docs.aws.amazon.com/cloud-map/latest/api/Welcome.html
//
// A file holds the operations of one concern. What AWS does in operations that take a
// while is done at once here: an operation is over when its id is answered.
package servicediscovery

import (
	"crypto/rand"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/store"
)

// API answers Cloud Map.
type API struct{ store store.Store }

// New makes the API.
func New(s store.Store) *API { return &API{s} }

// Operations are the handlers by operation name.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateHttpNamespace":       gateway.Handle(a.createHTTPNamespace),
		"CreatePrivateDnsNamespace": gateway.Handle(a.createPrivateNamespace),
		"CreatePublicDnsNamespace":  gateway.Handle(a.createPublicNamespace),
		"UpdateHttpNamespace":       gateway.Handle(a.updateHTTPNamespace),
		"UpdatePrivateDnsNamespace": gateway.Handle(a.updatePrivateNamespace),
		"UpdatePublicDnsNamespace":  gateway.Handle(a.updatePublicNamespace),
		"DeleteNamespace":           gateway.Handle(a.deleteNamespace),
		"GetNamespace":              gateway.Handle(a.getNamespace),
		"ListNamespaces":            gateway.Handle(a.listNamespaces),

		"CreateService":           gateway.Handle(a.createService),
		"UpdateService":           gateway.Handle(a.updateService),
		"DeleteService":           gateway.Handle(a.deleteService),
		"GetService":              gateway.Handle(a.getService),
		"ListServices":            gateway.Handle(a.listServices),
		"GetServiceAttributes":    gateway.Handle(a.getServiceAttributes),
		"UpdateServiceAttributes": gateway.Handle(a.updateServiceAttributes),
		"DeleteServiceAttributes": gateway.Handle(a.deleteServiceAttributes),

		"RegisterInstance":                 gateway.Handle(a.registerInstance),
		"DeregisterInstance":               gateway.Handle(a.deregisterInstance),
		"GetInstance":                      gateway.Handle(a.getInstance),
		"ListInstances":                    gateway.Handle(a.listInstances),
		"DiscoverInstances":                gateway.Handle(a.discoverInstances),
		"DiscoverInstancesRevision":        gateway.Handle(a.discoverInstancesRevision),
		"UpdateInstanceCustomHealthStatus": gateway.Handle(a.updateHealth),
		"GetInstancesHealthStatus":         gateway.Handle(a.getHealth),

		"GetOperation":   gateway.Handle(a.getOperation),
		"ListOperations": gateway.Handle(a.listOperations),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTags),
	}
}

// text is so many random characters of an alphabet.
func text(alphabet string, length int) string {
	b := make([]byte, length)
	_, _ = rand.Read(b) // never fails, by its documentation
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// Alphabets of ids.
const (
	lower = "abcdefghijklmnopqrstuvwxyz234567"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)
