package balancer

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// Limits of a rule.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxConditionValues = 5
	maxWildcards       = 6
	maxValueLength     = 128
	maxHeaderName      = 40
	maxMethodName      = 40
)

// CheckConditions refuses conditions that a rule cannot have.
func CheckConditions(all []Condition) error {
	if len(all) == 0 {
		return fault.New(fault.Validation, "A condition must be specified")
	}
	seen, values, wildcards := map[string]bool{}, 0, 0
	for n := range all {
		c := &all[n]
		if err := c.check(); err != nil {
			return err
		}
		if c.Field != HTTPHeader && c.Field != QueryString {
			if seen[c.Field] {
				return fault.New(fault.InvalidLoadBalancerAction, "The rule cannot have more than one condition with field '%s'", c.Field)
			}
			seen[c.Field] = true
		}
		values += len(c.Values) + len(c.Regex) + len(c.Query)
		wildcards += c.wildcards()
	}
	switch {
	case values > maxConditionValues:
		return fault.New(fault.Validation, "Rule cannot have more than '%d' condition values", maxConditionValues)
	case wildcards > maxWildcards:
		return fault.New(fault.Validation, "Rule cannot have more than '%d' condition wildcards", maxWildcards)
	}
	return nil
}

func (c *Condition) check() error {
	if len(c.Values)+len(c.Regex)+len(c.Query) == 0 {
		return fault.New(fault.Validation, "A condition value must be specified")
	}
	if len(c.Values) > 0 && len(c.Regex) > 0 {
		return fault.New(fault.Validation, "A condition cannot have both values and regular expressions")
	}
	for _, r := range c.Regex {
		if _, err := regexp.Compile(r); err != nil || len(r) > maxValueLength {
			return fault.New(fault.Validation, "Condition regex '%s' is not valid", r)
		}
	}
	switch c.Field {
	case HostHeader, PathPattern, QueryString:
		return c.checkLengths()
	case HTTPHeader:
		return c.checkHeader()
	case RequestMethod:
		return c.checkMethods()
	case SourceIP:
		return c.checkRanges()
	}
	return fault.New(fault.Validation, "Condition field '%s' must be one of '[http-request-method, path-pattern, host-header, query-string, http-header, source-ip]'", c.Field)
}

func (c *Condition) checkLengths() error {
	texts := c.Values
	for _, q := range c.Query {
		texts = append(texts[:len(texts):len(texts)], q.Key, q.Value)
	}
	for _, text := range texts {
		if len(text) > maxValueLength {
			return fault.New(fault.Validation, "The '%s' value cannot be longer than '%d' characters", c.Field, maxValueLength)
		}
	}
	for _, host := range c.Values {
		if c.Field == HostHeader && strings.ContainsFunc(host, notOfHosts) {
			return fault.New(fault.Validation, "The host-header value '%s' contains characters that are not allowed", host)
		}
	}
	return nil
}

func notOfHosts(c rune) bool { return !nameCharacter(c) && !strings.ContainsRune("._*?:", c) }

func (c *Condition) checkHeader() error {
	if c.Header == "" || len(c.Header) > maxHeaderName || strings.ContainsAny(c.Header, " :*?\t") {
		return fault.New(fault.Validation, "The HTTP header name '%s' is not valid", c.Header)
	}
	if strings.EqualFold(c.Header, "host") {
		return fault.New(fault.Validation, "The HTTP header name cannot be 'Host'").WithHint("use a condition with field host-header")
	}
	return c.checkLengths()
}

func (c *Condition) checkMethods() error {
	for _, method := range c.Values {
		bad := strings.ContainsFunc(method, func(r rune) bool { return !('A' <= r && r <= 'Z' || r == '-' || r == '_') })
		if method == "" || len(method) > maxMethodName || bad {
			return fault.New(fault.Validation, "The HTTP request method '%s' is not valid", method)
		}
	}
	return nil
}

func (c *Condition) checkRanges() error {
	for _, cidr := range c.Values {
		if p, err := netip.ParsePrefix(cidr); err != nil || p.Masked() != p {
			return fault.New(fault.Validation, "The source-ip value '%s' must be a valid CIDR block", cidr)
		}
	}
	return nil
}

// wildcards counts * and ? of the fields that know them.
func (c *Condition) wildcards() (n int) {
	if c.Field == RequestMethod || c.Field == SourceIP {
		return 0
	}
	count := func(text string) int { return strings.Count(text, "*") + strings.Count(text, "?") }
	for _, v := range c.Values {
		n += count(v)
	}
	for _, q := range c.Query {
		n += count(q.Key) + count(q.Value)
	}
	return n
}

// CheckTransforms refuses transforms that a rule cannot have: one of each type.
func CheckTransforms(all []Transform) error {
	seen := map[string]bool{}
	for _, t := range all {
		if seen[t.Type] {
			return fault.New(fault.Validation, "A rule cannot have more than one transform of type '%s'", t.Type)
		}
		seen[t.Type] = true
		if _, err := regexp.Compile(t.Regex); err != nil {
			return fault.New(fault.Validation, "Transform regex '%s' is not valid", t.Regex)
		}
	}
	return nil
}
