package store

// tableID is a table's place in memory. It is never stored: the order may change.
type tableID int

// To add a table: a constant here, a line in Tables, a file for the noun.
const (
	clusters tableID = iota
	taskDefinitions
	families
	instances
	tasks
	accessKeys
	joinTokens
	clientTokens
	settings
	vpcs
	subnets
	securityGroups
	interfaces
	repositories
	services
	serviceRevisions
	rollouts
	serviceEvents
	taskSets
	capacityProviders
	alarms
	alarmHistory
	rules
	firings
	eventCursors
	eventBuses
	connections
	destinations
	daemons
	daemonRevisions
	daemonDeployments
	daemonFamilies
	roles
	users
	groups
	managedPolicies
	instanceProfiles
	accounts
	roleDeletions
	accessReports
	secrets
	secretValues
	parameters
	editions
	cryptKeys
	keyAliases
	buckets
	routeTables
	internetGateways
	natGateways
	addresses
	acls
	prefixLists
	dhcpOptions
	endpoints
	endpointServices
	peerings
	balancers
	listeners
	listenerRules
	targetGroups
	targets
	targetHealth
	trustStores
	certificates
	namespaces
	discoveries
	discoveryInstances
	discoveryOperations
	groupUses
	troubles
)

// Tables lists every table, each at its id.
func Tables() []Descriptor {
	return []Descriptor{
		clusters:            Clusters,
		taskDefinitions:     TaskDefinitions,
		families:            Families,
		instances:           Instances,
		tasks:               Tasks,
		accessKeys:          AccessKeys,
		joinTokens:          JoinTokens,
		clientTokens:        ClientTokens,
		settings:            Settings,
		vpcs:                VPCs,
		subnets:             Subnets,
		securityGroups:      SecurityGroups,
		interfaces:          Interfaces,
		repositories:        Repositories,
		services:            Services,
		serviceRevisions:    ServiceRevisions,
		rollouts:            Rollouts,
		serviceEvents:       ServiceEvents,
		taskSets:            TaskSets,
		capacityProviders:   CapacityProviders,
		alarms:              Alarms,
		alarmHistory:        AlarmHistory,
		rules:               Rules,
		firings:             Firings,
		eventCursors:        EventCursors,
		eventBuses:          EventBuses,
		connections:         Connections,
		destinations:        Destinations,
		daemons:             Daemons,
		daemonRevisions:     DaemonRevisions,
		daemonDeployments:   DaemonDeployments,
		daemonFamilies:      DaemonFamilies,
		roles:               Roles,
		users:               Users,
		groups:              Groups,
		managedPolicies:     ManagedPolicies,
		instanceProfiles:    InstanceProfiles,
		accounts:            Accounts,
		roleDeletions:       RoleDeletions,
		accessReports:       AccessReports,
		secrets:             Secrets,
		secretValues:        SecretValues,
		parameters:          Parameters,
		editions:            Editions,
		cryptKeys:           CryptKeys,
		keyAliases:          KeyAliases,
		buckets:             Buckets,
		routeTables:         RouteTables,
		internetGateways:    InternetGateways,
		natGateways:         NATGateways,
		addresses:           Addresses,
		acls:                ACLs,
		prefixLists:         PrefixLists,
		dhcpOptions:         DHCPOptions,
		endpoints:           Endpoints,
		endpointServices:    EndpointServices,
		peerings:            Peerings,
		balancers:           Balancers,
		listeners:           Listeners,
		listenerRules:       ListenerRules,
		targetGroups:        TargetGroups,
		targets:             Targets,
		targetHealth:        TargetHealth,
		trustStores:         TrustStores,
		certificates:        Certificates,
		namespaces:          Namespaces,
		discoveries:         Discoveries,
		discoveryInstances:  DiscoveryInstances,
		discoveryOperations: DiscoveryOperations,
		groupUses:           GroupUses,
		troubles:            Troubles,
	}
}
