package balancer

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// change puts what a caller says over what was set, unless the table forbids it. noun
// begins the sentences that refuse.
func change(noun string, table []Attribute, s subject, set map[string]string, said []Value) (map[string]string, error) {
	next := maps.Clone(set)
	if next == nil {
		next = map[string]string{}
	}
	for _, v := range said {
		a := find(table, s, v.Name)
		if a == nil {
			return nil, fault.New(fault.Validation, "%s attribute key '%s' is not recognized", noun, v.Name)
		}
		if !a.has(s) {
			return nil, fault.New(fault.InvalidConfigurationRequest, "%s attribute key '%s' is not supported for protocol '%s'", noun, v.Name, s.protocol)
		}
		if a.Fixed && v.Value != a.defaultOf(s) {
			return nil, fault.New(fault.InvalidConfigurationRequest, "%s attribute '%s' cannot be changed", noun, v.Name)
		}
		if want := a.valid(v.Value); want != "" {
			return nil, fault.New(fault.Validation, "%s attribute '%s' %s", noun, v.Name, want)
		}
		next[v.Name] = v.Value
	}
	return next, together(func(name string) string { return inForce(table, s, next, name) }, s)
}

// together refuses values that exclude or need each other.
func together(value func(string) string, s subject) error {
	for _, logs := range []string{"access_logs", "connection_logs", "health_check_logs"} {
		if value(logs+".s3.enabled") == "true" && value(logs+".s3.bucket") == "" {
			return fault.New(fault.InvalidConfigurationRequest, "%s.s3.bucket must be set when %s.s3.enabled is true", logs, logs)
		}
	}
	refuse := func(format string, args ...any) error {
		return fault.New(fault.InvalidConfigurationRequest, format, args...)
	}
	switch {
	case value(StickinessType) == "app_cookie" && value(StickinessEnabled) == "true" && value(AppCookieName) == "":
		return refuse("%s must be set when %s is app_cookie", AppCookieName, StickinessType)
	case value(SlowStart) != "" && value(SlowStart) != "0" && value(Algorithm) != "round_robin":
		return refuse("Slow start is not supported with load balancing algorithm '%s'", value(Algorithm))
	case value(AnomalyMitigation) == "on" && value(Algorithm) != "weighted_random":
		return refuse("Anomaly mitigation is only supported with load balancing algorithm 'weighted_random'")
	case value(PreserveClientIP) == "false" && (s.protocol == "UDP" || s.protocol == "TCP_UDP"):
		return refuse("Client IP preservation cannot be disabled for %s target groups", s.protocol)
	case value(UnhealthyTermination) == "true" && value(UnhealthyDraining) != "0" && value(UnhealthyDraining) != "":
		return refuse("%s can only be set when %s is false", UnhealthyDraining, UnhealthyTermination)
	}
	return nil
}

// check tells what a value must be; empty for one that is good.
type check func(value string) string

func truth(v string) string { return among("true", "false")(v) }

func among(values ...string) check {
	return func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return "must be one of '" + strings.Join(values, "', '") + "'"
	}
}

func between(low, high int) check {
	return func(v string) string {
		if n, err := strconv.Atoi(v); err == nil && low <= n && n <= high {
			return ""
		}
		return "must be between " + strconv.Itoa(low) + " and " + strconv.Itoa(high) + " inclusive"
	}
}

func either(word string, rest check) check {
	return func(v string) string {
		if v == word {
			return ""
		}
		return rest(v)
	}
}

func upTo(length int) check {
	return func(v string) string {
		if len(v) <= length {
			return ""
		}
		return "must be at most " + strconv.Itoa(length) + " characters long"
	}
}

// headerName admits names of HTTP headers.
func headerName(v string) string {
	for _, c := range v {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' && c < 128
		if !letter && !('0' <= c && c <= '9') && c != '-' && c != '_' {
			return "must hold letters, digits, hyphens and underscores only"
		}
	}
	if v == "" {
		return "must not be empty"
	}
	return upTo(40)(v)
}

// cookieName refuses the names that the balancer's own cookies have.
func cookieName(v string) string {
	for _, own := range []string{"AWSALB", "AWSALBAPP", "AWSALBTG"} {
		if strings.HasPrefix(v, own) {
			return "must not begin with AWSALB, AWSALBAPP or AWSALBTG"
		}
	}
	if strings.ContainsAny(v, " \t;,=\"\\") {
		return "must be the name of a cookie"
	}
	return upTo(4096)(v)
}
