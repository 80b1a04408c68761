// Package ecs answers the operations of Amazon ECS: clusters, task definitions,
// tasks, container instances and what agents report. A handler resolves names in
// a view of the store, checks the request, and commits once.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
//
// A file holds the operations of one resource; files named after a resource with
// _shape convert between berth's nouns and the API's structures.
package ecs

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// Config is what the API is built from.
type Config struct {
	Store store.Store
	// NewID gives 32 random hex digits. nil means crypto/rand.
	NewID func() string
	// Sessions tells an agent where its sessions are: the base addresses of the
	// ACS and the TCS websocket. nil means paths below the endpoint at which the
	// agent called.
	Sessions func(call *gateway.Call) (acs, tcs string)
	// Identities checks the identity documents of machines that register. nil takes
	// every document for what it says, as simulations do.
	Identities Identities
	// History has the stopped tasks that the store has let go of. nil means none.
	History History
	// Hooked tells whether there is somebody to call for the ARN of a function that
	// a lifecycle hook names. nil means for none.
	Hooked func(arn string) bool
	// Assume finds a role that tasks may become, on behalf of a resource of ECS. The
	// error says why they may not. nil takes every role as it is named.
	Assume func(r store.Reader, roleARN, source string) (*identity.Role, error)
	// Ingress makes the ways in to Express gateway services; without it there can be
	// none such.
	Ingress Ingress
	// Leads says why ECS may not change a rule or listener by a role, on behalf of a
	// service. nil takes every role as it is named.
	Leads func(ctx context.Context, r store.Reader, roleARN, service, rule string) error
}

// Identities knows whether an instance identity document is one that berth signed.
type Identities interface {
	// Check refuses with a fault.AccessDenied.
	Check(document, signature string) error
}

// API answers ECS.
type API struct {
	store    store.Store
	newID    func() string
	sessions func(call *gateway.Call) (acs, tcs string)
	history  History
	hooked   func(arn string) bool
	proof    Identities // nil takes every document
	assume   func(r store.Reader, roleARN, source string) (*identity.Role, error)
	ingress  Ingress
	leads    func(ctx context.Context, r store.Reader, roleARN, service, rule string) error
}

// New makes the API.
func New(c Config) *API {
	a := &API{
		store: c.Store, newID: c.NewID, sessions: c.Sessions, history: c.History, hooked: c.Hooked, proof: c.Identities, assume: c.Assume, leads: c.Leads, ingress: c.Ingress,
	}
	if a.newID == nil {
		a.newID = NewID
	}
	if a.sessions == nil {
		a.sessions = sessionsBelow
	}
	return a
}

// NewID is 32 random hex digits.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// uuid is a fresh id in the form of a UUID.
func (a *API) uuid() string {
	return arn.UUID(a.newID())
}

// Operations are the handlers by operation name. What is not here is not
// supported yet, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateCluster":               gateway.Handle(a.createCluster),
		"DescribeClusters":            gateway.Handle(a.describeClusters),
		"ListClusters":                gateway.Handle(a.listClusters),
		"UpdateCluster":               gateway.Handle(a.updateCluster),
		"UpdateClusterSettings":       gateway.Handle(a.updateClusterSettings),
		"PutClusterCapacityProviders": gateway.Handle(a.putClusterCapacityProviders),
		"DeleteCluster":               gateway.Handle(a.deleteCluster),

		"CreateCapacityProvider":    gateway.Handle(a.createCapacityProvider),
		"DescribeCapacityProviders": gateway.Handle(a.describeCapacityProviders),
		"UpdateCapacityProvider":    gateway.Handle(a.updateCapacityProvider),
		"DeleteCapacityProvider":    gateway.Handle(a.deleteCapacityProvider),

		"RegisterTaskDefinition":     gateway.Handle(a.registerTaskDefinition),
		"DescribeTaskDefinition":     gateway.Handle(a.describeTaskDefinition),
		"ListTaskDefinitions":        gateway.Handle(a.listTaskDefinitions),
		"ListTaskDefinitionFamilies": gateway.Handle(a.listTaskDefinitionFamilies),
		"DeregisterTaskDefinition":   gateway.Handle(a.deregisterTaskDefinition),
		"DeleteTaskDefinitions":      gateway.Handle(a.deleteTaskDefinitions),

		"CreateService":              gateway.Handle(a.createService),
		"UpdateService":              gateway.Handle(a.updateService),
		"DeleteService":              gateway.Handle(a.deleteService),
		"DescribeServices":           gateway.Handle(a.describeServices),
		"ListServices":               gateway.Handle(a.listServices),
		"ListServicesByNamespace":    gateway.Handle(a.listServicesByNamespace),
		"DescribeServiceDeployments": gateway.Handle(a.describeServiceDeployments),
		"ListServiceDeployments":     gateway.Handle(a.listServiceDeployments),
		"StopServiceDeployment":      gateway.Handle(a.stopServiceDeployment),
		"ContinueServiceDeployment":  gateway.Handle(a.continueServiceDeployment),
		"DescribeServiceRevisions":   gateway.Handle(a.describeServiceRevisions),

		"CreateTaskSet":               gateway.Handle(a.createTaskSet),
		"UpdateTaskSet":               gateway.Handle(a.updateTaskSet),
		"DeleteTaskSet":               gateway.Handle(a.deleteTaskSet),
		"DescribeTaskSets":            gateway.Handle(a.describeTaskSets),
		"UpdateServicePrimaryTaskSet": gateway.Handle(a.updateServicePrimaryTaskSet),

		"RegisterDaemonTaskDefinition": gateway.Handle(a.registerDaemonTaskDefinition),
		"DescribeDaemonTaskDefinition": gateway.Handle(a.describeDaemonTaskDefinition),
		"ListDaemonTaskDefinitions":    gateway.Handle(a.listDaemonTaskDefinitions),
		"DeleteDaemonTaskDefinition":   gateway.Handle(a.deleteDaemonTaskDefinition),
		"CreateDaemon":                 gateway.Handle(a.createDaemon),
		"UpdateDaemon":                 gateway.Handle(a.updateDaemon),
		"DeleteDaemon":                 gateway.Handle(a.deleteDaemon),
		"DescribeDaemon":               gateway.Handle(a.describeDaemon),
		"ListDaemons":                  gateway.Handle(a.listDaemons),
		"DescribeDaemonRevisions":      gateway.Handle(a.describeDaemonRevisions),
		"DescribeDaemonDeployments":    gateway.Handle(a.describeDaemonDeployments),
		"ListDaemonDeployments":        gateway.Handle(a.listDaemonDeployments),

		"CreateExpressGatewayService":   gateway.Handle(a.createExpressGatewayService),
		"UpdateExpressGatewayService":   gateway.Handle(a.updateExpressGatewayService),
		"DeleteExpressGatewayService":   gateway.Handle(a.deleteExpressGatewayService),
		"DescribeExpressGatewayService": gateway.Handle(a.describeExpressGatewayService),

		"RunTask":              gateway.Handle(a.runTask),
		"StartTask":            gateway.Handle(a.startTask),
		"StopTask":             gateway.Handle(a.stopTask),
		"DescribeTasks":        gateway.Handle(a.describeTasks),
		"ExecuteCommand":       gateway.Handle(a.executeCommand),
		"ListTasks":            gateway.Handle(a.listTasks),
		"GetTaskProtection":    gateway.Handle(a.getTaskProtection),
		"UpdateTaskProtection": gateway.Handle(a.updateTaskProtection),

		"RegisterContainerInstance":     gateway.Handle(a.registerContainerInstance),
		"DeregisterContainerInstance":   gateway.Handle(a.deregisterContainerInstance),
		"DescribeContainerInstances":    gateway.Handle(a.describeContainerInstances),
		"ListContainerInstances":        gateway.Handle(a.listContainerInstances),
		"UpdateContainerInstancesState": gateway.Handle(a.updateContainerInstancesState),
		"UpdateContainerAgent":          gateway.Handle(a.updateContainerAgent),
		"DiscoverPollEndpoint":          gateway.Handle(a.discoverPollEndpoint),

		"SubmitTaskStateChange":        gateway.Handle(a.submitTaskStateChange),
		"SubmitContainerStateChange":   gateway.Handle(a.submitContainerStateChange),
		"SubmitAttachmentStateChanges": gateway.Handle(a.submitAttachmentStateChanges),

		"PutAttributes":    gateway.Handle(a.putAttributes),
		"DeleteAttributes": gateway.Handle(a.deleteAttributes),
		"ListAttributes":   gateway.Handle(a.listAttributes),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTagsForResource),

		"ListAccountSettings":      gateway.Handle(a.listAccountSettings),
		"PutAccountSetting":        gateway.Handle(a.putAccountSetting),
		"PutAccountSettingDefault": gateway.Handle(a.putAccountSettingDefault),
		"DeleteAccountSetting":     gateway.Handle(a.deleteAccountSetting),
	}
}
