package discovery

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/berthhq/berth/domain/fault"
)

// Attributes of instances that Cloud Map itself understands.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_RegisterInstance.html
const (
	AliasName     = "AWS_ALIAS_DNS_NAME" // of a load balancer
	EC2InstanceID = "AWS_EC2_INSTANCE_ID"
	InitialHealth = "AWS_INIT_HEALTH_STATUS"
	InstanceCNAME = "AWS_INSTANCE_CNAME"
	InstanceIPv4  = "AWS_INSTANCE_IPV4"
	InstanceIPv6  = "AWS_INSTANCE_IPV6"
	InstancePort  = "AWS_INSTANCE_PORT"
)

// Bounds of attributes: of all of an instance together in characters, and how many
// there are beside Cloud Map's own; a service has as many.
const (
	maxAttributes     = 30
	maxAttributesText = 5000
)

// MaxServiceAttributes is how many attributes a service has.
const MaxServiceAttributes = maxAttributes

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidMapInput, format, args...)
}

// CheckAttributes tells what is wrong with the attributes of an instance to be of the
// service.
func (s *Service) CheckAttributes(attributes map[string]string) error {
	for _, check := range []func(map[string]string) error{checkSize, checkValues, s.checkAlias, s.checkEC2, s.checkHealth, s.checkReach, s.checkRecords} {
		if err := check(attributes); err != nil {
			return err
		}
	}
	return nil
}

func checkSize(attributes map[string]string) error {
	custom, length := 0, 0
	for key, value := range attributes {
		length += utf8.RuneCountInString(key) + utf8.RuneCountInString(value)
		if !strings.HasPrefix(key, "AWS_") {
			custom++
		}
	}
	switch {
	case len(attributes) == 0:
		return invalid("An instance needs at least one attribute.")
	case custom > maxAttributes:
		return invalid("An instance has at most %d custom attributes.", maxAttributes)
	case length > maxAttributesText:
		return invalid("The total size of all attributes must not exceed %d characters.", maxAttributesText)
	}
	return nil
}

func checkValues(attributes map[string]string) error {
	if text, ok := attributes[InstanceIPv4]; ok {
		if a, err := netip.ParseAddr(text); err != nil || !a.Is4() {
			return invalid("The value of %s is not an IPv4 address: %s", InstanceIPv4, text)
		}
	}
	if text, ok := attributes[InstanceIPv6]; ok {
		if a, err := netip.ParseAddr(text); err != nil || !a.Is6() || a.Zone() != "" {
			return invalid("The value of %s is not an IPv6 address: %s", InstanceIPv6, text)
		}
	}
	if text, ok := attributes[InstancePort]; ok {
		if _, ok := port(text); !ok {
			return invalid("The value of %s is not a port: %s", InstancePort, text)
		}
	}
	for _, key := range []string{InstanceCNAME, AliasName} {
		if text, ok := attributes[key]; ok && !IsDomain(text) {
			return invalid("The value of %s is not a domain name: %s", key, text)
		}
	}
	return nil
}

func port(text string) (uint16, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil && n > 0
}

func (s *Service) checkAlias(attributes map[string]string) error {
	if attributes[AliasName] == "" {
		return nil
	}
	if s.DNS == nil || !s.DNS.Has("A") && !s.DNS.Has("AAAA") || s.DNS.Routing != Weighted {
		return invalid("%s needs a service with A or AAAA records and the routing policy WEIGHTED.", AliasName)
	}
	for key := range attributes {
		if strings.HasPrefix(key, "AWS_INSTANCE_") {
			return invalid("If you specify a value for %s, don't specify values for any of the AWS_INSTANCE attributes.", AliasName)
		}
	}
	return nil
}

func (s *Service) checkEC2(attributes map[string]string) error {
	if attributes[EC2InstanceID] == "" {
		return nil
	}
	if s.DNS != nil {
		return invalid("%s is supported for HTTP namespaces only.", EC2InstanceID)
	}
	for key := range attributes {
		if key != EC2InstanceID && key != InitialHealth {
			return invalid("If %s is specified, the only other attribute that can be specified is %s.", EC2InstanceID, InitialHealth)
		}
	}
	return nil
}

func (s *Service) checkHealth(attributes map[string]string) error {
	status, ok := attributes[InitialHealth]
	switch {
	case !ok:
		return nil
	case s.CustomCheck == nil:
		return invalid("%s needs a service with HealthCheckCustomConfig.", InitialHealth)
	case status != Healthy && status != Unhealthy:
		return invalid("The value of %s must be HEALTHY or UNHEALTHY.", InitialHealth)
	}
	return nil
}

// checkReach sees to it that an instance's health can be found out, and that nobody is
// asked whom Route 53 would not ask. Private addresses are: they are what tasks have.
func (s *Service) checkReach(attributes map[string]string) error {
	if s.Health == nil || attributes[AliasName] != "" {
		return nil
	}
	if attributes[InstancePort] == "" {
		return invalid("The attribute %s is required: the service has a health check.", InstancePort)
	}
	for _, key := range []string{InstanceIPv4, InstanceIPv6} {
		if a, err := netip.ParseAddr(attributes[key]); err == nil && (a.Unmap().IsLoopback() || a.Unmap().IsUnspecified() || a.Unmap().IsLinkLocalUnicast() || a.IsMulticast()) {
			return invalid("The health of %s can't be checked.", a)
		}
	}
	return nil
}

// checkRecords sees to it that the service's records can be made.
func (s *Service) checkRecords(attributes map[string]string) error {
	if s.DNS == nil || attributes[AliasName] != "" {
		return nil
	}
	missing := func(key, record string) error {
		return invalid("The attribute %s is required: the service has %s records.", key, record)
	}
	four, six := attributes[InstanceIPv4] != "", attributes[InstanceIPv6] != ""
	switch {
	case s.DNS.Has("A") && !four:
		return missing(InstanceIPv4, "A")
	case s.DNS.Has("AAAA") && !six:
		return missing(InstanceIPv6, "AAAA")
	case s.DNS.Has("CNAME") && attributes[InstanceCNAME] == "":
		return missing(InstanceCNAME, "CNAME")
	case s.DNS.Has("SRV") && attributes[InstancePort] == "":
		return missing(InstancePort, "SRV")
	case s.DNS.Has("SRV") && !four && !six:
		return missing(InstanceIPv4, "SRV")
	}
	return nil
}
