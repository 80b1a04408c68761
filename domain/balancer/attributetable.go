package balancer

import "slices"

// Names of attributes that data planes read.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
const (
	DeletionProtection = "deletion_protection.enabled"
	CrossZoneEnabled   = "load_balancing.cross_zone.enabled" // of groups as well
	AccessLogs         = "access_logs.s3.enabled"
	AccessLogsBucket   = "access_logs.s3.bucket"
	AccessLogsPrefix   = "access_logs.s3.prefix"
	ConnectionLogs     = "connection_logs.s3.enabled"
	ConnectionBucket   = "connection_logs.s3.bucket"
	ConnectionPrefix   = "connection_logs.s3.prefix"
	HealthLogs         = "health_check_logs.s3.enabled"
	HealthLogsBucket   = "health_check_logs.s3.bucket"
	HealthLogsPrefix   = "health_check_logs.s3.prefix"
	IdleTimeout        = "idle_timeout.timeout_seconds"
	ClientKeepAlive    = "client_keep_alive.seconds"
	DesyncMitigation   = "routing.http.desync_mitigation_mode"
	DropInvalidHeaders = "routing.http.drop_invalid_header_fields.enabled"
	PreserveHost       = "routing.http.preserve_host_header.enabled"
	TLSHeaders         = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
	XFFClientPort      = "routing.http.xff_client_port.enabled"
	XFFMode            = "routing.http.xff_header_processing.mode"
	HTTP2              = "routing.http2.enabled"
	RoutingPolicy      = "dns_record.client_routing_policy"
	AccessLogsInterval = "access_logs.s3.emit_interval" // minutes; of Classic ones
	Draining           = "connection_draining.enabled"  // of Classic ones
	DrainingTimeout    = "connection_draining.timeout"  // seconds; of Classic ones
)

// Names of attributes of listeners.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
const (
	TCPIdleTimeout  = "tcp.idle_timeout.seconds"
	ServerHeader    = "routing.http.response.server.enabled"
	requestHeaders  = "routing.http.request."
	responseHeaders = "routing.http.response."
)

// Names of attributes of target groups.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
const (
	DeregistrationDelay  = "deregistration_delay.timeout_seconds"
	ConnectionTerminates = "deregistration_delay.connection_termination.enabled"
	StickinessEnabled    = "stickiness.enabled"
	StickinessType       = "stickiness.type" // lb_cookie, app_cookie, source_ip
	LBCookieDuration     = "stickiness.lb_cookie.duration_seconds"
	AppCookieName        = "stickiness.app_cookie.cookie_name"
	AppCookieDuration    = "stickiness.app_cookie.duration_seconds"
	SlowStart            = "slow_start.duration_seconds"
	Algorithm            = "load_balancing.algorithm.type"
	AnomalyMitigation    = "load_balancing.algorithm.anomaly_mitigation"
	DNSMinimumCount      = "target_group_health.dns_failover.minimum_healthy_targets.count"
	DNSMinimumPercent    = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	MinimumCount         = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	MinimumPercent       = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	PreserveClientIP     = "preserve_client_ip.enabled"
	ProxyProtocol        = "proxy_protocol_v2.enabled"
	UnhealthyTermination = "target_health_state.unhealthy.connection_termination.enabled"
	UnhealthyDraining    = "target_health_state.unhealthy.draining_interval_seconds"
)

// week is the most seconds that cookies and connections live.
const week = 604800

func balancerTable(k Kind) []Attribute {
	switch k {
	case Application:
		return applicationTable
	case Network:
		return networkTable
	}
	return classicTable
}

var applicationTable = []Attribute{
	{Name: AccessLogs, Default: "false", valid: truth},
	{Name: AccessLogsBucket, valid: upTo(63)},
	{Name: AccessLogsPrefix, valid: upTo(1024)},
	{Name: IdleTimeout, Default: "60", valid: between(1, 4000)},
	{Name: DeletionProtection, Default: "false", valid: truth},
	{Name: HTTP2, Default: "true", valid: truth},
	{Name: DropInvalidHeaders, Default: "false", valid: truth},
	{Name: XFFClientPort, Default: "false", valid: truth},
	{Name: PreserveHost, Default: "false", valid: truth},
	{Name: XFFMode, Default: "append", valid: among("append", "preserve", "remove")},
	{Name: CrossZoneEnabled, Default: "true", Fixed: true, valid: truth},
	{Name: DesyncMitigation, Default: "defensive", valid: among("monitor", "defensive", "strictest")},
	{Name: ClientKeepAlive, Default: "3600", valid: between(60, week)},
	{Name: "waf.fail_open.enabled", Default: "false", valid: truth, Idle: true},
	{Name: TLSHeaders, Default: "false", valid: truth},
	{Name: ConnectionLogs, Default: "false", valid: truth},
	{Name: ConnectionBucket, valid: upTo(63)},
	{Name: ConnectionPrefix, valid: upTo(1024)},
	{Name: HealthLogs, Default: "false", valid: truth, Idle: true},
	{Name: HealthLogsBucket, valid: upTo(63), Idle: true},
	{Name: HealthLogsPrefix, valid: upTo(1024), Idle: true},
	{Name: "zonal_shift.config.enabled", Default: "false", valid: truth, Idle: true},
	{Name: "ipv6.deny_all_igw_traffic", Default: "false", valid: truth, Idle: true, instead: trueWhenInternal},
}

var networkTable = []Attribute{
	{Name: AccessLogs, Default: "false", valid: truth},
	{Name: AccessLogsBucket, valid: upTo(63)},
	{Name: AccessLogsPrefix, valid: upTo(1024)},
	{Name: DeletionProtection, Default: "false", valid: truth},
	{Name: CrossZoneEnabled, Default: "false", valid: truth},
	{Name: RoutingPolicy, Default: "any_availability_zone", valid: among("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"), Idle: true},
	{Name: "zonal_shift.config.enabled", Default: "false", valid: truth, Idle: true},
	{Name: "ipv6.deny_all_igw_traffic", Default: "false", valid: truth, Idle: true, instead: trueWhenInternal},
	{Name: "secondary_ips.auto_assigned.per_subnet", Default: "0", valid: between(0, 7), Idle: true},
}

// The API of Classic balancers shows these in a shape of its own.
var classicTable = []Attribute{
	{Name: CrossZoneEnabled, Default: "false", valid: truth},
	{Name: AccessLogs, Default: "false", valid: truth},
	{Name: AccessLogsBucket, valid: upTo(63)},
	{Name: AccessLogsPrefix, valid: upTo(1024)},
	{Name: AccessLogsInterval, Default: "60", valid: among("5", "60"), Idle: true},
	{Name: Draining, Default: "false", valid: truth},
	{Name: DrainingTimeout, Default: "300", valid: between(1, 3600)},
	{Name: IdleTimeout, Default: "60", valid: between(1, 4000)},
	{Name: "elb.http.desyncmitigationmode", Default: "defensive", valid: among("monitor", "defensive", "strictest"), Idle: true},
}

func trueWhenInternal(s subject) string {
	if s.scheme == Internal {
		return "true"
	}
	return ""
}

var listenerTable = slices.Concat(
	[]Attribute{
		{Name: TCPIdleTimeout, Default: "350", valid: between(60, 6000), only: ofTCP},
		{Name: ServerHeader, Default: "true", valid: truth, only: ofHTTP},
	},
	each(requestHeaders, ".header_name", ofTLS, headerName,
		"X-Amzn-Mtls-Clientcert-Serial-Number", "x_amzn_mtls_clientcert_serial_number",
		"X-Amzn-Mtls-Clientcert-Issuer", "x_amzn_mtls_clientcert_issuer",
		"X-Amzn-Mtls-Clientcert-Subject", "x_amzn_mtls_clientcert_subject",
		"X-Amzn-Mtls-Clientcert-Validity", "x_amzn_mtls_clientcert_validity",
		"X-Amzn-Mtls-Clientcert-Leaf", "x_amzn_mtls_clientcert_leaf",
		"X-Amzn-Mtls-Clientcert", "x_amzn_mtls_clientcert",
		"X-Amzn-Tls-Version", "x_amzn_tls_version",
		"X-Amzn-Tls-Cipher-Suite", "x_amzn_tls_cipher_suite",
	),
	each(responseHeaders, ".header_value", ofHTTP, upTo(1024),
		"", "strict_transport_security",
		"", "access_control_allow_origin",
		"", "access_control_allow_methods",
		"", "access_control_allow_headers",
		"", "access_control_allow_credentials",
		"", "access_control_expose_headers",
		"", "access_control_max_age",
		"", "content_security_policy",
		"", "x_content_type_options",
		"", "x_frame_options",
	),
)

// each makes rows of pairs of a default and the middle of a name.
func each(head, tail string, only func(subject) bool, valid check, pairs ...string) (rows []Attribute) {
	for pair := range slices.Chunk(pairs, 2) {
		rows = append(rows, Attribute{Name: head + pair[1] + tail, Default: pair[0], valid: valid, only: only})
	}
	return rows
}

// RequestHeader is the name under which a header goes to the targets, of those that
// listeners may rename: middle is "x_amzn_tls_version".
func (l *Listener) RequestHeader(middle string) string {
	return l.Attribute(requestHeaders + middle + ".header_name")
}

// ResponseHeader is the value of a header that the listener adds to answers or sets in
// them; empty for none: middle is "strict_transport_security".
func (l *Listener) ResponseHeader(middle string) string {
	return l.Attribute(responseHeaders + middle + ".header_value")
}

func ofHTTP(s subject) bool { return s.protocol == "HTTP" || s.protocol == "HTTPS" }
func ofTLS(s subject) bool  { return s.protocol == "HTTPS" }
func ofTCP(s subject) bool {
	return s.protocol == "TCP" || s.protocol == "TCP_UDP" || s.protocol == "TLS"
}
func ofFlow(s subject) bool { return !ofHTTP(s) }

var groupTable = []Attribute{
	{Name: DeregistrationDelay, Default: "300", valid: between(0, 3600)},
	{Name: StickinessEnabled, Default: "false", valid: truth},
	{Name: StickinessType, Default: "lb_cookie", valid: among("lb_cookie", "app_cookie"), only: ofHTTP},
	{Name: StickinessType, Default: "source_ip", valid: among("source_ip"), only: ofFlow},
	{Name: LBCookieDuration, Default: "86400", valid: between(1, week), only: ofHTTP},
	{Name: AppCookieName, valid: cookieName, only: ofHTTP},
	{Name: AppCookieDuration, Default: "86400", valid: between(1, week), only: ofHTTP},
	{Name: SlowStart, Default: "0", valid: either("0", between(30, 900)), only: ofHTTP},
	{Name: Algorithm, Default: "round_robin", valid: among("round_robin", "least_outstanding_requests", "weighted_random"), only: ofHTTP},
	{Name: AnomalyMitigation, Default: "off", valid: among("on", "off"), Idle: true, only: ofHTTP},
	{Name: CrossZoneEnabled, Default: "use_load_balancer_configuration", valid: among("true", "false", "use_load_balancer_configuration")},
	{Name: DNSMinimumCount, Default: "1", valid: either("off", between(1, 1000)), Idle: true},
	{Name: DNSMinimumPercent, Default: "off", valid: either("off", between(1, 100)), Idle: true},
	{Name: MinimumCount, Default: "1", valid: between(1, 1000)},
	{Name: MinimumPercent, Default: "off", valid: either("off", between(1, 100))},
	{Name: PreserveClientIP, Default: "true", valid: truth, only: ofFlow, instead: clientIPByDefault},
	{Name: ProxyProtocol, Default: "false", valid: truth, only: ofFlow},
	{Name: ConnectionTerminates, Default: "false", valid: truth, only: ofFlow, instead: trueForUDP},
	{Name: UnhealthyTermination, Default: "true", valid: truth, only: ofFlow, instead: falseForUDP},
	{Name: UnhealthyDraining, Default: "0", valid: between(0, 360000), Idle: true, only: ofFlow},
}

func ofUDP(s subject) bool { return s.protocol == "UDP" || s.protocol == "TCP_UDP" }

func clientIPByDefault(s subject) string {
	if s.targets == TargetIP && !ofUDP(s) {
		return "false"
	}
	return ""
}

func trueForUDP(s subject) string {
	if ofUDP(s) {
		return "true"
	}
	return ""
}

func falseForUDP(s subject) string {
	if ofUDP(s) {
		return "false"
	}
	return ""
}
