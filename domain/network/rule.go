package network

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// NewRule makes a rule without its peer. A protocol is a name or a number of IANA's;
// ports that are not given are all.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
func NewRule(protocol string, from, to *int) (Rule, error) {
	r := Rule{Protocol: protocolName(protocol), FromPort: -1, ToPort: -1}
	switch r.Protocol {
	case "":
		return r, fault.New(fault.MissingParameter, "The request must contain the parameter ipProtocol")
	case "-1":
		return r, nil
	}
	if !protocolKnown(r.Protocol) {
		return r, fault.New(fault.InvalidPermissionMalformed, "Invalid IP protocol: %s", protocol)
	}
	if from != nil {
		r.FromPort = *from
	}
	if to != nil {
		r.ToPort = *to
	}
	switch r.Protocol {
	case "tcp", "udp":
		return r, checkPorts(&r, from == nil || to == nil)
	}
	if !r.HasPorts() {
		r.FromPort, r.ToPort = -1, -1
	}
	return r, nil
}

// HasPorts tells whether the rule's protocol has ports, or types and codes of ICMP in
// their place.
func (r *Rule) HasPorts() bool {
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	return false
}

func checkPorts(r *Rule, missing bool) error {
	switch {
	case missing:
		return fault.New(fault.InvalidParameterValue, "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
	case r.FromPort == -1 && r.ToPort == -1:
		r.FromPort, r.ToPort = 0, 65535
	case r.FromPort < 0 || r.ToPort > 65535:
		return fault.New(fault.InvalidParameterValue, "Invalid value '%d' for portRange. Ports are from 0 to 65535.", max(r.ToPort, r.FromPort))
	case r.FromPort > r.ToPort:
		return fault.New(fault.InvalidParameterValue, "Invalid TCP/UDP port range (%d:%d)", r.FromPort, r.ToPort)
	}
	return nil
}

func protocolName(p string) string {
	p = strings.ToLower(p)
	switch p {
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	case "all":
		return "-1"
	}
	return p
}

func protocolKnown(p string) bool {
	switch p {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	var n int
	_, err := fmt.Sscanf(p, "%d", &n)
	return err == nil && n >= 0 && n <= 255 && fmt.Sprint(n) == p
}

// Same tells whether two rules admit the same, whatever they are called.
func (r *Rule) Same(o *Rule) bool {
	return r.Protocol == o.Protocol && r.FromPort == o.FromPort && r.ToPort == o.ToPort &&
		r.CIDR == o.CIDR && r.CIDR6 == o.CIDR6 && r.Group == o.Group && r.PrefixList == o.PrefixList
}

// String is the rule as AWS's errors have it.
func (r *Rule) String() string {
	peer := r.CIDR + r.CIDR6 + r.Group + r.PrefixList
	if r.Protocol == "-1" {
		return "peer: " + peer + ", ALL, ALLOW"
	}
	return fmt.Sprintf("peer: %s, %s, from port: %d, to port: %d, ALLOW", peer, strings.ToUpper(r.Protocol), r.FromPort, r.ToPort)
}

// CheckGroup refuses names and descriptions that groups cannot have.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
func CheckGroup(name, description string) error {
	const marks = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
	for what, text := range map[string]string{"groupName": name, "groupDescription": description} {
		switch {
		case text == "":
			return fault.New(fault.MissingParameter, "The request must contain the parameter %s", what)
		case len(text) > 255 || strings.Trim(text, marks) != "":
			return fault.New(fault.InvalidParameterValue, "Value (%s) for parameter %s is invalid. Character sets beyond ASCII are not supported.", text, what)
		}
	}
	if strings.HasPrefix(name, "sg-") {
		return fault.New(fault.InvalidParameterValue, "Value (%s) for parameter groupName is invalid. Group names may not be in the format sg-*.", name)
	}
	return nil
}

// ProtocolNumber is how ACLs name a protocol: by IANA's number.
func ProtocolNumber(protocol string) string {
	switch p := protocolName(protocol); p {
	case "tcp":
		return "6"
	case "udp":
		return "17"
	case "icmp":
		return "1"
	case "icmpv6":
		return "58"
	default:
		return p
	}
}
