package balancer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// Types of policies of Classic balancers.
const (
	LBCookiePolicy      = "LBCookieStickinessPolicyType"
	AppCookiePolicy     = "AppCookieStickinessPolicyType"
	NegotiationPolicy   = "SSLNegotiationPolicyType"
	ProxyProtocolPolicy = "ProxyProtocolPolicyType"
	BackendAuthPolicy   = "BackendServerAuthenticationPolicyType"
	PublicKeyPolicy     = "PublicKeyPolicyType"
)

// Attributes of policies that negotiate TLS.
const (
	referencePolicy = "Reference-Security-Policy"
	serverOrder     = "Server-Defined-Cipher-Order"
)

// PolicyType says which attributes policies of a type have.
type PolicyType struct {
	Name, Description string
	Attributes        []PolicyAttributeType
}

// PolicyAttributeType is an attribute that policies of a type may have.
type PolicyAttributeType struct {
	Name, Type  string // Type is String, Long or Boolean
	Default     string
	Cardinality string // ONE, ZERO_OR_ONE, ZERO_OR_MORE, ONE_OR_MORE
}

// PolicyTypes are all there are.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancerPolicyTypes.html
func PolicyTypes() []PolicyType {
	return []PolicyType{
		{AppCookiePolicy, "Stickiness policy with session lifetimes controlled by the lifetime of the application-generated cookie. This policy can be associated only with HTTP/HTTPS listeners.",
			[]PolicyAttributeType{{"CookieName", "String", "", "ONE"}}},
		{BackendAuthPolicy, "Policy that controls authentication to back-end server(s) and contains one or more policies, such as an instance of a PublicKeyPolicyType. This policy can be associated only with back-end servers that are using HTTPS/SSL.",
			[]PolicyAttributeType{{"PublicKeyPolicyName", "PolicyName", "", "ONE_OR_MORE"}}},
		{LBCookiePolicy, "Stickiness policy with session lifetimes controlled by the browser (user-agent) or a specified expiration period. This policy can be associated only with HTTP/HTTPS listeners.",
			[]PolicyAttributeType{{"CookieExpirationPeriod", "Long", "", "ZERO_OR_ONE"}}},
		{ProxyProtocolPolicy, "Policy that controls whether to include the IP address and port of the originating request for TCP messages. This policy operates on TCP/SSL listeners only.",
			[]PolicyAttributeType{{"ProxyProtocol", "Boolean", "", "ONE"}}},
		{PublicKeyPolicy, "Policy containing a list of public keys to accept when authenticating the back-end server(s). This policy cannot be applied directly to back-end servers or listeners but must be part of a BackendServerAuthenticationPolicyType.",
			[]PolicyAttributeType{{"PublicKey", "String", "", "ONE"}}},
		{NegotiationPolicy, "Listener policy that defines the ciphers and protocols that will be accepted by the load balancer. This policy can be associated only with HTTPS/SSL listeners.",
			negotiationAttributes()},
	}
}

// FindPolicyType finds a type by its name.
func FindPolicyType(name string) (PolicyType, bool) {
	all := PolicyTypes()
	i := slices.IndexFunc(all, func(t PolicyType) bool { return t.Name == name })
	if i < 0 {
		return PolicyType{}, false
	}
	return all[i], true
}

// classicProtocols are those that policies switch, as they call them.
var classicProtocols = []string{"TLSv1", "TLSv1.1", "TLSv1.2"}

// classicCiphers are those that policies switch.
func classicCiphers() []string {
	p, _ := FindSSLPolicy(DefaultSSLPolicy)
	return p.Ciphers
}

func negotiationAttributes() []PolicyAttributeType {
	all := []PolicyAttributeType{{referencePolicy, "String", "", "ZERO_OR_ONE"}}
	for _, protocol := range classicProtocols {
		all = append(all, PolicyAttributeType{"Protocol-" + protocol, "Boolean", "false", "ZERO_OR_ONE"})
	}
	all = append(all, PolicyAttributeType{serverOrder, "Boolean", "false", "ZERO_OR_ONE"})
	for _, cipher := range classicCiphers() {
		all = append(all, PolicyAttributeType{cipher, "Boolean", "false", "ZERO_OR_ONE"})
	}
	return all
}

// Check refuses a policy whose attributes are not those of its type.
func (p *Policy) Check() error {
	t, ok := FindPolicyType(p.Type)
	if !ok {
		return fault.New(fault.PolicyTypeNotFound, "Policy type '%s' not found", p.Type)
	}
	for _, a := range p.Attributes {
		i := slices.IndexFunc(t.Attributes, func(have PolicyAttributeType) bool { return have.Name == a.Name })
		if i < 0 {
			return misfit("Policy attribute '%s' is not an attribute of policy type '%s'", a.Name, p.Type)
		}
		if err := t.Attributes[i].check(a.Value); err != nil {
			return err
		}
	}
	for _, a := range t.Attributes {
		n := p.count(a.Name)
		if n == 0 && strings.HasPrefix(a.Cardinality, "ONE") || n > 1 && strings.HasSuffix(a.Cardinality, "ONE") {
			return misfit("Policy attribute '%s' of policy type '%s' has cardinality %s", a.Name, p.Type, a.Cardinality)
		}
	}
	return p.checkReference()
}

func (t *PolicyAttributeType) check(value string) error {
	if _, err := strconv.ParseInt(value, 10, 64); t.Type == "Long" && err != nil {
		return misfit("The value '%s' of policy attribute '%s' is no number", value, t.Name)
	}
	if t.Type == "Boolean" && !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
		return misfit("The value '%s' of policy attribute '%s' is neither 'true' nor 'false'", value, t.Name)
	}
	return nil
}

// checkReference wants what a policy that negotiates refers to, or protocols and ciphers
// of its own: without, a listener would speak with nobody.
func (p *Policy) checkReference() error {
	if p.Type != NegotiationPolicy {
		return nil
	}
	name := p.Attribute(referencePolicy)
	if name == "" {
		if n := p.Negotiation(); len(n.Protocols) == 0 || len(n.Ciphers) == 0 {
			return misfit("Policy '%s' must enable at least one protocol and one cipher", p.Name)
		}
		return nil
	}
	if !slices.ContainsFunc(SamplePolicies(), func(s Policy) bool { return s.Name == name }) {
		return fault.New(fault.PolicyNotFound, "Reference security policy '%s' not found", name)
	}
	return nil
}

func (p *Policy) count(name string) (n int) {
	for _, a := range p.Attributes {
		if a.Name == name {
			n++
		}
	}
	return n
}

func misfit(format string, args ...any) error {
	return fault.New(fault.InvalidConfigurationRequest, format, args...)
}

// yes tells whether an attribute is true, whatever the case.
func (p *Policy) yes(name string) bool { return strings.EqualFold(p.Attribute(name), "true") }

// Negotiation is what a policy of type NegotiationPolicy admits.
func (p *Policy) Negotiation() SSLPolicy {
	if found, ok := FindSSLPolicy(p.Attribute(referencePolicy)); ok {
		return found
	}
	out := SSLPolicy{Name: p.Name}
	for _, protocol := range slices.Backward(classicProtocols) {
		if p.yes("Protocol-" + protocol) {
			out.Protocols = append(out.Protocols, protocol)
		}
	}
	for _, cipher := range classicCiphers() {
		if p.yes(cipher) {
			out.Ciphers = append(out.Ciphers, cipher)
		}
	}
	return out
}

// Shown are the attributes as reads give them: of a negotiation each protocol and
// cipher, as AWS spells them out.
func (p *Policy) Shown() []PolicyAttribute {
	if p.Type != NegotiationPolicy {
		return p.Attributes
	}
	n, out := p.Negotiation(), []PolicyAttribute{}
	if name := p.Attribute(referencePolicy); name != "" {
		out = append(out, PolicyAttribute{referencePolicy, name})
	}
	truth := func(name string, yes bool) { out = append(out, PolicyAttribute{name, strconv.FormatBool(yes)}) }
	for _, protocol := range classicProtocols {
		truth("Protocol-"+protocol, slices.Contains(n.Protocols, protocol))
	}
	truth(serverOrder, p.yes(serverOrder) || p.Attribute(referencePolicy) != "")
	for _, cipher := range classicCiphers() {
		truth(cipher, slices.Contains(n.Ciphers, cipher))
	}
	return out
}

// samples are the predefined policies that Classic balancers know.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-security-policy-table.html
var samples = []string{DefaultSSLPolicy, "ELBSecurityPolicy-2015-05", "ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-TLS-1-2-2017-01"}

// SamplePolicies are the policies that are there without a balancer.
func SamplePolicies() []Policy {
	var all []Policy
	for _, name := range samples {
		all = append(all, Predefined(name))
	}
	return append(all,
		Policy{"ELBSample-AppCookieStickinessPolicy", AppCookiePolicy, []PolicyAttribute{{"CookieName", "ELBSampleCookie"}}},
		Policy{"ELBSample-LBCookieStickinessPolicy", LBCookiePolicy, []PolicyAttribute{{"CookieExpirationPeriod", "100"}}},
	)
}

// Predefined is the policy that negotiates as a predefined one says.
func Predefined(name string) Policy {
	return Policy{name, NegotiationPolicy, []PolicyAttribute{{referencePolicy, name}}}
}
