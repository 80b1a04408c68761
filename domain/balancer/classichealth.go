package balancer

import (
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// ClassicUnhealthy is why an instance is out of service that does not answer as it should.
const ClassicUnhealthy = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."

// ReadTarget reads where a Classic balancer checks health, "HTTP:80/path" or "TCP:80",
// into a check.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_HealthCheck.html
func (h *HealthCheck) ReadTarget(text string) error {
	refuse := func(why string) error {
		return fault.New(fault.Validation, "HealthCheck Target %s", why)
	}
	protocol, rest, ok := strings.Cut(text, ":")
	port, path, slashed := strings.Cut(rest, "/")
	protocol = strings.ToUpper(protocol)
	web := protocol == "HTTP" || protocol == "HTTPS"
	n, err := strconv.Atoi(port)
	switch {
	case !ok || !web && protocol != "TCP" && protocol != "SSL":
		return refuse("protocol must be one of HTTP, TCP, HTTPS, SSL")
	case err != nil || n < 1 || n > 65535:
		return refuse("port must be a number between 1 and 65535")
	case web && !slashed:
		return refuse("must specify a port followed by a path that begins with '/'. e.g. HTTP:80/weather/us/wa/seattle")
	case !web && slashed:
		return refuse("must not specify a path for protocol " + protocol)
	case len(path) >= 1024:
		return refuse("path must be at most 1024 characters long")
	}
	h.Enabled, h.Protocol, h.Port, h.Path, h.Matcher = true, protocol, strconv.Itoa(n), "", ""
	if web {
		h.Path, h.Matcher = "/"+path, "200"
	}
	return nil
}

// Target is what ReadTarget read.
func (h *HealthCheck) Target() string { return h.Protocol + ":" + h.Port + h.Path }

// ClassicHealth is the check of a new Classic balancer: a connection to the instance
// port of its first listener.
func ClassicHealth(port int) HealthCheck {
	return HealthCheck{Enabled: true, Protocol: "TCP", Port: strconv.Itoa(port), Interval: 30, Timeout: 5, Healthy: 10, Unhealthy: 2}
}
