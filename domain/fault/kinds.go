package fault

// Kind is one member of the closed set of errors.
type Kind int

// Kinds. Adding one means adding its row to table below.
const (
	Server Kind = iota
	Unavailable
	Throttling
	UnknownOperation
	Serialization
	Validation // a constraint of the model is not met
	InvalidParameter
	MissingParameter
	InvalidAction
	RequestTooLarge

	MissingAuthentication
	IncompleteSignature
	UnrecognizedClient // the access key is not known
	SignatureMismatch
	SignatureExpired
	InvalidToken // the session token does not belong to the key
	AccessDenied

	Client // ECS ClientException: the catch-all for a bad request
	ClusterNotFound
	ClusterContainsContainerInstances
	ClusterContainsServices
	ClusterContainsTasks
	ClusterContainsCapacityProvider
	ServiceNotFound
	ServiceNotActive
	DaemonNotFound
	DaemonNotActive
	ServiceDeploymentNotFound
	TaskSetNotFound
	TargetNotFound
	TargetNotConnected
	AttributeLimitExceeded
	LimitExceeded
	ResourceInUse
	ResourceNotFound
	NamespaceNotFound
	PlatformUnknown
	PlatformTaskDefinitionIncompatibility
	UnsupportedFeature
	Blocked
	UpdateInProgress
	NoUpdateAvailable
	MissingVersion
	Conflict

	RepositoryNotFound
	RepositoryAlreadyExists
	RepositoryNotEmpty
	RepositoryPolicyNotFound
	LifecyclePolicyNotFound
	ImageNotFound
	ImageAlreadyExists
	ImageTagAlreadyExists
	ImageDigestDoesNotMatch
	LayersNotFound
	UploadNotFound
	InvalidLayer
	InvalidTagParameter
	TooManyTags

	ResourceAlreadyExists
	DataAlreadyAccepted
	InvalidSequenceToken
	OperationAborted
	InvalidOperation
	SessionTimeout

	InvalidEventPattern

	InvalidVpcID
	InvalidSubnetID
	InvalidGroupID
	InvalidNetworkInterfaceID
	InvalidInstanceID
	InsufficientFreeAddresses
	AddressInUse
	DependencyViolation
	InvalidVpcRange
	InvalidSubnetConflict
	InvalidSubnetRange
	InvalidGroupDuplicate
	InvalidGroupInUse
	InvalidPermissionDuplicate
	InvalidPermissionNotFound
	InvalidPermissionMalformed
	InvalidGroupRuleID
	CannotDelete
	DefaultVpcAlreadyExists
	DefaultSubnetAlreadyExists
	DefaultVpcDoesNotExist
	InvalidRouteTableID
	RouteAlreadyExists
	InvalidRoute
	InvalidAssociationID
	InvalidCidrAssociationID
	InvalidInternetGatewayID
	InvalidEgressGatewayID
	InvalidGatewayID
	AlreadyAssociated
	GatewayNotAttached
	NatGatewayNotFound
	InvalidAllocationID
	InvalidAddress
	AddressLimitExceeded
	AuthFailure
	InvalidNetworkAclID
	NetworkAclEntryAlreadyExists
	InvalidNetworkAclEntry
	InvalidPrefixListID
	InvalidDhcpOptionsID
	InvalidVpcEndpointID
	InvalidVpcEndpointServiceID
	InvalidServiceName
	InvalidPeeringID
	InvalidVpnGatewayID
	InvalidSubnetCidrAssociationID
	InvalidIpamPoolID
	InvalidPublicPoolID
	PrivateAddressLimit
	InterfaceInUse
	InvalidAttachmentID
	OperationNotPermitted
	UnsupportedOperation
	IncorrectState
	InvalidID
	DryRunOperation
	InvalidNatGatewayID
	TagLimitExceeded
	ExistingVpcEndpoints
	PrefixListMaxEntries
	PrefixListVersionMismatch
	RulesPerGroupLimit
	InvalidParameterValue
	InvalidClientToken
	NoSuchEntity
	EntityAlreadyExists
	ExpiredToken
	MalformedPolicyDocument

	InvalidParameterCombination // CloudWatch's own from here
	MissingRequiredParameter
	InvalidNextToken
	InvalidFormat
	AlarmNotFound
	AlarmLimitExceeded
	MonitoredResourceNotFound // of the operations on tags

	InvalidPageToken // Application Auto Scaling's

	DeleteConflict // IAM's and STS's own from here
	QuotaExceeded
	UnmodifiableEntity
	PolicyNotAttachable
	PasswordPolicyViolation
	InvalidInput
	InvalidUserType
	PackedPolicyTooLarge
	InvalidAuthorizationMessage
	ResourceExists // Secrets Manager's own from here
	InvalidRequest
	EncryptionFailure
	DecryptionFailure
	PublicPolicy

	ParameterNotFound // the Parameter Store's own from here
	ParameterAlreadyExists
	ParameterVersionNotFound
	ParameterVersionLabelLimit
	ParameterMaxVersionLimit
	ParameterPatternMismatch
	InvalidAllowedPattern
	HierarchyLevelLimit
	HierarchyTypeMismatch
	InvalidPolicyType
	InvalidPolicyAttribute
	IncompatiblePolicy
	PoliciesLimit
	InvalidFilterKey
	InvalidFilterOption
	InvalidFilterValue
	InvalidKeyID
	InvalidResourceID
	InvalidResourceType
	TooManyParameterTags

	KeyNotFound // KMS's own from here
	KeyAlreadyExists
	KeyDisabled
	KeyInvalidState
	KeyUnavailable
	IncorrectKey
	InvalidCiphertext
	InvalidAliasName
	InvalidKeyARN
	InvalidMarker
	InvalidKeyTag
	UnsupportedKeyOperation
	DryRunSucceeded
	InvalidArgument // S3's own from here; see s3.go
	IncompleteBody
	ContentMismatch
	MissingContentLength
	MalformedXML
	NoSuchBucket
	BucketAlreadyExists
	BucketAlreadyOwned
	InvalidBucketName
	IllegalLocation
	NoSuchBucketPolicy
	MalformedBucketPolicy
	ACLNotSupported
	NotImplemented

	InvalidMapInput // Cloud Map's own from here
	MapNamespaceExists
	MapNamespaceNotFound
	MapServiceExists
	MapServiceNotFound
	MapInstanceNotFound
	MapOperationNotFound
	MapResourceInUse
	MapDuplicateRequest
	MapAttributesLimit
	CustomHealthNotFound

	AllocationIDNotFound // Elastic Load Balancing's own from here
	ALPNPolicyNotFound
	CABundleNotFound
	CertificateNotFound
	DuplicateListener
	DuplicateLoadBalancerName
	DuplicateTagKeys
	DuplicateTargetGroupName
	DuplicateTrustStoreName
	IncompatibleProtocols
	InvalidCABundle
	InvalidConfigurationRequest
	InvalidLoadBalancerAction
	InvalidRevocationContent
	InvalidScheme
	InvalidSecurityGroup
	InvalidSubnet
	InvalidTarget
	ListenerNotFound
	LoadBalancerNotFound
	LoadBalancingInUse
	PriorityInUse
	BalancedResourceNotFound
	RevocationContentNotFound
	RevocationIDNotFound
	RuleNotFound
	SSLPolicyNotFound
	SubnetNotFound
	TargetGroupAssociationLimit
	TargetGroupNotFound
	TooManyActions
	TooManyCertificates
	TooManyListeners
	TooManyLoadBalancers
	TooManyRules
	TooManyBalancerTags
	TooManyTargetGroups
	TooManyTargets
	TooManyTrustStores
	TooManyUniqueTargetGroups
	AssociationNotFound
	TrustStoreInUse
	TrustStoreNotFound
	UnsupportedProtocol

	DuplicatePolicyName // of the Classic API alone
	InvalidBalancedInstance
	LoadBalancerAttributeNotFound
	PolicyNotFound
	PolicyTypeNotFound
	TooManyPolicies

	InvalidDomainValidationOptions // the Certificate Manager's own from here
	InvalidState
	InvalidCertificateTag
	InvalidArgs

	kindCount
)

// Protocol family, as far as error codes depend on it.
type Family int

// Families of AWS protocols that name the same fault differently.
const (
	JSON Family = iota // awsJson, restJson, rpc-v2-cbor
	Query
	EC2
)

type row struct {
	status int
	code   string
	query  string // code in awsQuery when it differs
	ec2    string // code in ec2Query when it differs
}

var table = [kindCount]row{
	Server:           {500, "ServerException", "InternalFailure", "InternalError"},
	Unavailable:      {503, "ServiceUnavailableException", "ServiceUnavailable", "Unavailable"},
	Throttling:       {400, "ThrottlingException", "Throttling", "RequestLimitExceeded"},
	UnknownOperation: {400, "UnknownOperationException", "InvalidAction", "InvalidAction"},
	Serialization:    {400, "SerializationException", "MalformedInput", "MalformedInput"},
	Validation:       {400, "ValidationException", "ValidationError", "InvalidParameterValue"},
	InvalidParameter: {400, "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValue"},
	MissingParameter: {400, "MissingParameterException", "MissingParameter", "MissingParameter"},
	InvalidAction:    {400, "UnknownOperationException", "InvalidAction", "InvalidAction"},
	RequestTooLarge:  {413, "RequestEntityTooLargeException", "RequestEntityTooLarge", "RequestEntityTooLarge"},

	MissingAuthentication: {403, "MissingAuthenticationTokenException", "MissingAuthenticationToken", "AuthFailure"},
	IncompleteSignature:   {403, "IncompleteSignatureException", "IncompleteSignature", "AuthFailure"},
	UnrecognizedClient:    {403, "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"},
	SignatureMismatch:     {403, "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"},
	SignatureExpired:      {403, "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"},
	InvalidToken:          {403, "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"},
	ExpiredToken:          {403, "ExpiredTokenException", "ExpiredToken", "RequestExpired"},
	AccessDenied:          {400, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation"},

	Client:                                {400, "ClientException", "", ""},
	ClusterNotFound:                       {400, "ClusterNotFoundException", "", ""},
	ClusterContainsContainerInstances:     {400, "ClusterContainsContainerInstancesException", "", ""},
	ClusterContainsServices:               {400, "ClusterContainsServicesException", "", ""},
	ClusterContainsTasks:                  {400, "ClusterContainsTasksException", "", ""},
	ClusterContainsCapacityProvider:       {400, "ClusterContainsCapacityProviderException", "", ""},
	ServiceNotFound:                       {400, "ServiceNotFoundException", "", ""},
	ServiceNotActive:                      {400, "ServiceNotActiveException", "", ""},
	DaemonNotFound:                        {400, "DaemonNotFoundException", "", ""},
	DaemonNotActive:                       {400, "DaemonNotActiveException", "", ""},
	ServiceDeploymentNotFound:             {400, "ServiceDeploymentNotFoundException", "", ""},
	TaskSetNotFound:                       {400, "TaskSetNotFoundException", "", ""},
	TargetNotFound:                        {400, "TargetNotFoundException", "", ""},
	TargetNotConnected:                    {400, "TargetNotConnectedException", "", ""},
	AttributeLimitExceeded:                {400, "AttributeLimitExceededException", "", ""},
	LimitExceeded:                         {400, "LimitExceededException", "LimitExceeded", "ResourceLimitExceeded"},
	ResourceInUse:                         {400, "ResourceInUseException", "ResourceInUse", ""},
	ResourceNotFound:                      {400, "ResourceNotFoundException", "ResourceNotFound", ""},
	NamespaceNotFound:                     {400, "NamespaceNotFoundException", "", ""},
	PlatformUnknown:                       {400, "PlatformUnknownException", "", ""},
	PlatformTaskDefinitionIncompatibility: {400, "PlatformTaskDefinitionIncompatibilityException", "", ""},
	UnsupportedFeature:                    {400, "UnsupportedFeatureException", "", ""},
	Blocked:                               {400, "BlockedException", "", ""},
	UpdateInProgress:                      {400, "UpdateInProgressException", "", ""},
	NoUpdateAvailable:                     {400, "NoUpdateAvailableException", "", ""},
	MissingVersion:                        {400, "MissingVersionException", "", ""},
	Conflict:                              {400, "ConflictException", "", ""},

	RepositoryNotFound:       {400, "RepositoryNotFoundException", "", ""},
	RepositoryAlreadyExists:  {400, "RepositoryAlreadyExistsException", "", ""},
	RepositoryNotEmpty:       {400, "RepositoryNotEmptyException", "", ""},
	RepositoryPolicyNotFound: {400, "RepositoryPolicyNotFoundException", "", ""},
	LifecyclePolicyNotFound:  {400, "LifecyclePolicyNotFoundException", "", ""},
	ImageNotFound:            {400, "ImageNotFoundException", "", ""},
	ImageAlreadyExists:       {400, "ImageAlreadyExistsException", "", ""},
	ImageTagAlreadyExists:    {400, "ImageTagAlreadyExistsException", "", ""},
	ImageDigestDoesNotMatch:  {400, "ImageDigestDoesNotMatchException", "", ""},
	LayersNotFound:           {400, "LayersNotFoundException", "", ""},
	UploadNotFound:           {400, "UploadNotFoundException", "", ""},
	InvalidLayer:             {400, "InvalidLayerException", "", ""},
	InvalidTagParameter:      {400, "InvalidTagParameterException", "", ""},
	TooManyTags:              {400, "TooManyTagsException", "", ""},

	ResourceAlreadyExists: {400, "ResourceAlreadyExistsException", "", ""},
	DataAlreadyAccepted:   {400, "DataAlreadyAcceptedException", "", ""},
	InvalidSequenceToken:  {400, "InvalidSequenceTokenException", "", ""},
	OperationAborted:      {400, "OperationAbortedException", "", ""},
	InvalidOperation:      {400, "InvalidOperationException", "", ""},
	SessionTimeout:        {400, "SessionTimeoutException", "", ""},

	InvalidEventPattern: {400, "InvalidEventPatternException", "", ""},

	InvalidVpcID:                   {400, "InvalidVpcID.NotFound", "", ""},
	InvalidSubnetID:                {400, "InvalidSubnetID.NotFound", "", ""},
	InvalidGroupID:                 {400, "InvalidGroup.NotFound", "", ""},
	InvalidNetworkInterfaceID:      {400, "InvalidNetworkInterfaceID.NotFound", "", ""},
	RulesPerGroupLimit:             {400, "RulesPerSecurityGroupLimitExceeded", "", ""},
	ExistingVpcEndpoints:           {400, "ExistingVpcEndpointConnections", "", ""},
	PrefixListMaxEntries:           {400, "PrefixListMaxEntriesExceeded", "", ""},
	PrefixListVersionMismatch:      {400, "PrefixListVersionMismatch", "", ""},
	TagLimitExceeded:               {400, "TagLimitExceeded", "", ""},
	InvalidInstanceID:              {400, "InvalidInstanceID.NotFound", "", ""},
	InsufficientFreeAddresses:      {400, "InsufficientFreeAddressesInSubnet", "", ""},
	AddressInUse:                   {400, "InvalidIPAddress.InUse", "", ""},
	DependencyViolation:            {400, "DependencyViolation", "", ""},
	InvalidVpcRange:                {400, "InvalidVpc.Range", "", ""},
	InvalidSubnetConflict:          {400, "InvalidSubnet.Conflict", "", ""},
	InvalidSubnetRange:             {400, "InvalidSubnet.Range", "", ""},
	InvalidGroupDuplicate:          {400, "InvalidGroup.Duplicate", "", ""},
	InvalidGroupInUse:              {400, "InvalidGroup.InUse", "", ""},
	InvalidPermissionDuplicate:     {400, "InvalidPermission.Duplicate", "", ""},
	InvalidPermissionNotFound:      {400, "InvalidPermission.NotFound", "", ""},
	InvalidPermissionMalformed:     {400, "InvalidPermission.Malformed", "", ""},
	InvalidGroupRuleID:             {400, "InvalidSecurityGroupRuleId.NotFound", "", ""},
	CannotDelete:                   {400, "CannotDelete", "", ""},
	DefaultVpcAlreadyExists:        {400, "DefaultVpcAlreadyExists", "", ""},
	DefaultSubnetAlreadyExists:     {400, "DefaultSubnetAlreadyExistsInAvailabilityZone", "", ""},
	DefaultVpcDoesNotExist:         {400, "DefaultVpcDoesNotExist", "", ""},
	InvalidRouteTableID:            {400, "InvalidRouteTableID.NotFound", "", ""},
	RouteAlreadyExists:             {400, "RouteAlreadyExists", "", ""},
	InvalidRoute:                   {400, "InvalidRoute.NotFound", "", ""},
	InvalidAssociationID:           {400, "InvalidAssociationID.NotFound", "", ""},
	InvalidCidrAssociationID:       {400, "InvalidVpcCidrBlockAssociationID.NotFound", "", ""},
	InvalidInternetGatewayID:       {400, "InvalidInternetGatewayID.NotFound", "", ""},
	InvalidEgressGatewayID:         {400, "InvalidEgressOnlyInternetGatewayId.NotFound", "", ""},
	InvalidGatewayID:               {400, "InvalidGatewayID.NotFound", "", ""},
	AlreadyAssociated:              {400, "Resource.AlreadyAssociated", "", ""},
	GatewayNotAttached:             {400, "Gateway.NotAttached", "", ""},
	NatGatewayNotFound:             {400, "NatGatewayNotFound", "", ""},
	InvalidAllocationID:            {400, "InvalidAllocationID.NotFound", "", ""},
	InvalidAddress:                 {400, "InvalidAddress.NotFound", "", ""},
	AddressLimitExceeded:           {400, "AddressLimitExceeded", "", ""},
	AuthFailure:                    {400, "AuthFailure", "", ""},
	InvalidNetworkAclID:            {400, "InvalidNetworkAclID.NotFound", "", ""},
	NetworkAclEntryAlreadyExists:   {400, "NetworkAclEntryAlreadyExists", "", ""},
	InvalidNetworkAclEntry:         {400, "InvalidNetworkAclEntry.NotFound", "", ""},
	InvalidPrefixListID:            {400, "InvalidPrefixListID.NotFound", "", ""},
	InvalidDhcpOptionsID:           {400, "InvalidDhcpOptionsID.NotFound", "", ""},
	InvalidVpcEndpointID:           {400, "InvalidVpcEndpointId.NotFound", "", ""},
	InvalidVpcEndpointServiceID:    {400, "InvalidVpcEndpointServiceId.NotFound", "", ""},
	InvalidServiceName:             {400, "InvalidServiceName", "", ""},
	InvalidPeeringID:               {400, "InvalidVpcPeeringConnectionID.NotFound", "", ""},
	InvalidVpnGatewayID:            {400, "InvalidVpnGatewayID.NotFound", "", ""},
	InvalidSubnetCidrAssociationID: {400, "InvalidSubnetCidrBlockAssociationID.NotFound", "", ""},
	InvalidIpamPoolID:              {400, "InvalidIpamPoolId.NotFound", "", ""},
	InvalidPublicPoolID:            {400, "InvalidPublicIpv4PoolID.NotFound", "", ""},
	PrivateAddressLimit:            {400, "PrivateIpAddressLimitExceeded", "", ""},
	InvalidParameterCombination:    {400, "InvalidParameterCombinationException", "InvalidParameterCombination", "InvalidParameterCombination"},
	InterfaceInUse:                 {400, "InvalidNetworkInterface.InUse", "", ""},
	InvalidAttachmentID:            {400, "InvalidAttachmentID.NotFound", "", ""},
	OperationNotPermitted:          {400, "OperationNotPermitted", "", ""},
	UnsupportedOperation:           {400, "UnsupportedOperation", "", ""},
	IncorrectState:                 {400, "IncorrectState", "", ""},
	InvalidID:                      {400, "InvalidID", "", ""},
	DryRunOperation:                {412, "DryRunOperation", "", ""},
	InvalidNatGatewayID:            {400, "InvalidNatGatewayID.NotFound", "", ""},
	InvalidParameterValue:          {400, "InvalidParameterValueException", "InvalidParameterValue", "InvalidParameterValue"},
	InvalidClientToken:             {400, "InvalidParameterException", "InvalidParameterValue", "IdempotentParameterMismatch"},
	NoSuchEntity:                   {404, "NoSuchEntityException", "NoSuchEntity", ""},
	EntityAlreadyExists:            {409, "EntityAlreadyExistsException", "EntityAlreadyExists", ""},
	MalformedPolicyDocument:        {400, "MalformedPolicyDocumentException", "MalformedPolicyDocument", ""},

	MissingRequiredParameter:  {400, "MissingRequiredParameterException", "MissingParameter", ""},
	InvalidNextToken:          {400, "InvalidNextToken", "", ""},
	InvalidFormat:             {400, "InvalidFormatFault", "InvalidFormat", ""},
	AlarmNotFound:             {404, "ResourceNotFound", "", ""},
	AlarmLimitExceeded:        {400, "LimitExceededFault", "LimitExceeded", ""},
	MonitoredResourceNotFound: {404, "ResourceNotFoundException", "", ""},

	InvalidPageToken: {400, "InvalidNextTokenException", "", ""},

	DeleteConflict:              {409, "DeleteConflictException", "DeleteConflict", ""},
	QuotaExceeded:               {409, "LimitExceededException", "LimitExceeded", ""},
	UnmodifiableEntity:          {400, "UnmodifiableEntityException", "UnmodifiableEntity", ""},
	PolicyNotAttachable:         {400, "PolicyNotAttachableException", "PolicyNotAttachable", ""},
	PasswordPolicyViolation:     {400, "PasswordPolicyViolationException", "PasswordPolicyViolation", ""},
	InvalidInput:                {400, "InvalidInputException", "InvalidInput", ""},
	InvalidUserType:             {400, "InvalidUserTypeException", "InvalidUserType", ""},
	PackedPolicyTooLarge:        {400, "PackedPolicyTooLargeException", "PackedPolicyTooLarge", ""},
	InvalidAuthorizationMessage: {400, "InvalidAuthorizationMessageException", "", ""},
	ResourceExists:              {400, "ResourceExistsException", "", ""},
	InvalidRequest:              {400, "InvalidRequestException", "", ""},
	EncryptionFailure:           {400, "EncryptionFailure", "", ""},
	DecryptionFailure:           {400, "DecryptionFailure", "", ""},
	PublicPolicy:                {400, "PublicPolicyException", "", ""},

	ParameterNotFound:          {400, "ParameterNotFound", "", ""},
	ParameterAlreadyExists:     {400, "ParameterAlreadyExists", "", ""},
	ParameterVersionNotFound:   {400, "ParameterVersionNotFound", "", ""},
	ParameterVersionLabelLimit: {400, "ParameterVersionLabelLimitExceeded", "", ""},
	ParameterMaxVersionLimit:   {400, "ParameterMaxVersionLimitExceeded", "", ""},
	ParameterPatternMismatch:   {400, "ParameterPatternMismatchException", "", ""},
	InvalidAllowedPattern:      {400, "InvalidAllowedPatternException", "", ""},
	HierarchyLevelLimit:        {400, "HierarchyLevelLimitExceededException", "", ""},
	HierarchyTypeMismatch:      {400, "HierarchyTypeMismatchException", "", ""},
	InvalidPolicyType:          {400, "InvalidPolicyTypeException", "", ""},
	InvalidPolicyAttribute:     {400, "InvalidPolicyAttributeException", "", ""},
	IncompatiblePolicy:         {400, "IncompatiblePolicyException", "", ""},
	PoliciesLimit:              {400, "PoliciesLimitExceededException", "", ""},
	InvalidFilterKey:           {400, "InvalidFilterKey", "", ""},
	InvalidFilterOption:        {400, "InvalidFilterOption", "", ""},
	InvalidFilterValue:         {400, "InvalidFilterValue", "", ""},
	InvalidKeyID:               {400, "InvalidKeyId", "", ""},
	InvalidResourceID:          {400, "InvalidResourceId", "", ""},
	InvalidResourceType:        {400, "InvalidResourceType", "", ""},
	TooManyParameterTags:       {400, "TooManyTagsError", "", ""},

	KeyNotFound:             {400, "NotFoundException", "", ""},
	KeyAlreadyExists:        {400, "AlreadyExistsException", "", ""},
	KeyDisabled:             {400, "DisabledException", "", ""},
	KeyInvalidState:         {400, "KMSInvalidStateException", "", ""},
	KeyUnavailable:          {500, "KeyUnavailableException", "", ""},
	IncorrectKey:            {400, "IncorrectKeyException", "", ""},
	InvalidCiphertext:       {400, "InvalidCiphertextException", "", ""},
	InvalidAliasName:        {400, "InvalidAliasNameException", "", ""},
	InvalidKeyARN:           {400, "InvalidArnException", "", ""},
	InvalidMarker:           {400, "InvalidMarkerException", "", ""},
	InvalidKeyTag:           {400, "TagException", "", ""},
	UnsupportedKeyOperation: {400, "UnsupportedOperationException", "", ""},
	DryRunSucceeded:         {412, "DryRunOperationException", "", ""},
	InvalidArgument:         {400, "InvalidArgument", "", ""},
	IncompleteBody:          {400, "IncompleteBody", "", ""},
	ContentMismatch:         {400, "XAmzContentSHA256Mismatch", "", ""},
	MissingContentLength:    {411, "MissingContentLength", "", ""},
	MalformedXML:            {400, "MalformedXML", "", ""},
	NoSuchBucket:            {404, "NoSuchBucket", "", ""},
	BucketAlreadyExists:     {409, "BucketAlreadyExists", "", ""},
	BucketAlreadyOwned:      {409, "BucketAlreadyOwnedByYou", "", ""},
	InvalidBucketName:       {400, "InvalidBucketName", "", ""},
	IllegalLocation:         {400, "IllegalLocationConstraintException", "", ""},
	NoSuchBucketPolicy:      {404, "NoSuchBucketPolicy", "", ""},
	MalformedBucketPolicy:   {400, "MalformedPolicy", "", ""},
	ACLNotSupported:         {400, "AccessControlListNotSupported", "", ""},
	NotImplemented:          {501, "NotImplemented", "", ""},

	InvalidMapInput:      {400, "InvalidInput", "", ""},
	MapNamespaceExists:   {400, "NamespaceAlreadyExists", "", ""},
	MapNamespaceNotFound: {400, "NamespaceNotFound", "", ""},
	MapServiceExists:     {400, "ServiceAlreadyExists", "", ""},
	MapServiceNotFound:   {400, "ServiceNotFound", "", ""},
	MapInstanceNotFound:  {400, "InstanceNotFound", "", ""},
	MapOperationNotFound: {400, "OperationNotFound", "", ""},
	MapResourceInUse:     {400, "ResourceInUse", "", ""},
	MapDuplicateRequest:  {400, "DuplicateRequest", "", ""},
	MapAttributesLimit:   {400, "ServiceAttributesLimitExceededException", "", ""},
	CustomHealthNotFound: {400, "CustomHealthNotFound", "", ""},

	AllocationIDNotFound:        {400, "AllocationIdNotFound", "", ""},
	ALPNPolicyNotFound:          {400, "ALPNPolicyNotFound", "", ""},
	CABundleNotFound:            {400, "CaCertificatesBundleNotFound", "", ""},
	CertificateNotFound:         {400, "CertificateNotFound", "", ""},
	DuplicateListener:           {400, "DuplicateListener", "", ""},
	DuplicateLoadBalancerName:   {400, "DuplicateLoadBalancerName", "", ""},
	DuplicateTagKeys:            {400, "DuplicateTagKeys", "", ""},
	DuplicateTargetGroupName:    {400, "DuplicateTargetGroupName", "", ""},
	DuplicateTrustStoreName:     {400, "DuplicateTrustStoreName", "", ""},
	IncompatibleProtocols:       {400, "IncompatibleProtocols", "", ""},
	InvalidCABundle:             {400, "InvalidCaCertificatesBundle", "", ""},
	InvalidConfigurationRequest: {400, "InvalidConfigurationRequest", "", ""},
	InvalidLoadBalancerAction:   {400, "InvalidLoadBalancerAction", "", ""},
	InvalidRevocationContent:    {400, "InvalidRevocationContent", "", ""},
	InvalidScheme:               {400, "InvalidScheme", "", ""},
	InvalidSecurityGroup:        {400, "InvalidSecurityGroup", "", ""},
	InvalidSubnet:               {400, "InvalidSubnet", "", ""},
	InvalidTarget:               {400, "InvalidTarget", "", ""},
	ListenerNotFound:            {400, "ListenerNotFound", "", ""},
	LoadBalancerNotFound:        {400, "LoadBalancerNotFound", "", ""},
	LoadBalancingInUse:          {400, "ResourceInUse", "", ""},
	PriorityInUse:               {400, "PriorityInUse", "", ""},
	BalancedResourceNotFound:    {400, "ResourceNotFound", "", ""},
	RevocationContentNotFound:   {400, "RevocationContentNotFound", "", ""},
	RevocationIDNotFound:        {400, "RevocationIdNotFound", "", ""},
	RuleNotFound:                {400, "RuleNotFound", "", ""},
	SSLPolicyNotFound:           {400, "SSLPolicyNotFound", "", ""},
	SubnetNotFound:              {400, "SubnetNotFound", "", ""},
	TargetGroupAssociationLimit: {400, "TargetGroupAssociationLimit", "", ""},
	TargetGroupNotFound:         {400, "TargetGroupNotFound", "", ""},
	TooManyActions:              {400, "TooManyActions", "", ""},
	TooManyCertificates:         {400, "TooManyCertificates", "", ""},
	TooManyListeners:            {400, "TooManyListeners", "", ""},
	TooManyLoadBalancers:        {400, "TooManyLoadBalancers", "", ""},
	TooManyRules:                {400, "TooManyRules", "", ""},
	TooManyBalancerTags:         {400, "TooManyTags", "", ""},
	TooManyTargetGroups:         {400, "TooManyTargetGroups", "", ""},
	TooManyTargets:              {400, "TooManyTargets", "", ""},
	TooManyTrustStores:          {400, "TooManyTrustStores", "", ""},
	TooManyUniqueTargetGroups:   {400, "TooManyUniqueTargetGroupsPerLoadBalancer", "", ""},
	AssociationNotFound:         {400, "AssociationNotFound", "", ""},
	TrustStoreInUse:             {400, "TrustStoreInUse", "", ""},
	TrustStoreNotFound:          {400, "TrustStoreNotFound", "", ""},
	UnsupportedProtocol:         {400, "UnsupportedProtocol", "", ""},

	DuplicatePolicyName:           {400, "DuplicatePolicyName", "", ""},
	InvalidBalancedInstance:       {400, "InvalidInstance", "", ""},
	LoadBalancerAttributeNotFound: {400, "LoadBalancerAttributeNotFound", "", ""},
	PolicyNotFound:                {400, "PolicyNotFound", "", ""},
	PolicyTypeNotFound:            {400, "PolicyTypeNotFound", "", ""},
	TooManyPolicies:               {400, "TooManyPolicies", "", ""},

	InvalidDomainValidationOptions: {400, "InvalidDomainValidationOptionsException", "", ""},
	InvalidState:                   {400, "InvalidStateException", "", ""},
	InvalidCertificateTag:          {400, "InvalidTagException", "", ""},
	InvalidArgs:                    {400, "InvalidArgsException", "", ""},
}

// Code is the AWS error code of the kind in a protocol family.
func (k Kind) Code(f Family) string {
	r := table[k]
	switch {
	case f == Query && r.query != "":
		return r.query
	case f == EC2 && r.ec2 != "":
		return r.ec2
	}
	return r.code
}

// Status is the HTTP status of the kind.
func (k Kind) Status() int { return table[k].status }

// OurFault reports whether berth, not the caller, is to blame.
func (k Kind) OurFault() bool { return k.Status() >= 500 }

// String is the JSON family's code.
func (k Kind) String() string { return k.Code(JSON) }
