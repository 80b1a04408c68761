package workload

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func between(field, container string, n *int, low, high int) error {
	if n == nil || *n >= low && *n <= high {
		return nil
	}
	return refuse("the '%s' setting for container '%s' must be between %d and %d", field, container, low, high)
}

func checkHealthChecks(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		h := c.HealthCheck
		if h == nil {
			continue
		}
		if len(h.Command) == 0 {
			return refuse("HealthCheck.command should not be null or empty in container '%s'.", c.Name)
		}
		if !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Command[0]) || h.Command[0] != "NONE" && len(h.Command) < 2 {
			return refuse("Invalid health check command for container '%s'. It must start with CMD or CMD-SHELL, and name a command.", c.Name)
		}
		for _, limit := range []struct {
			field     string
			n         *int
			low, high int
		}{
			{"healthCheck.interval", h.Interval, 5, 300},
			{"healthCheck.timeout", h.Timeout, 2, 60},
			{"healthCheck.retries", h.Retries, 1, 10},
			{"healthCheck.startPeriod", h.StartPeriod, 0, 300},
		} {
			if err := between(limit.field, c.Name, limit.n, limit.low, limit.high); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxTimeout bounds timeouts outside Fargate, in seconds, only so that they stay
// sane numbers; AWS names no bound there.
const maxTimeout = 1 << 30

func checkTimeouts(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		if err := between("startTimeout", c.Name, c.StartTimeout, 0, maxTimeout); err != nil {
			return err
		}
		if err := between("stopTimeout", c.Name, c.StopTimeout, 0, maxTimeout); err != nil {
			return err
		}
		if err := oneOf("versionConsistency", c.VersionConsistency, "enabled", "disabled"); err != nil {
			return err
		}
		if len(c.CredentialSpecs) > 1 {
			return refuse("The maximum number of credential specs is 1.")
		}
		for _, h := range c.ExtraHosts {
			if _, err := netip.ParseAddr(h.IPAddress); err != nil || h.Hostname == "" {
				return refuse("Invalid 'extraHosts' setting for container '%s': '%s:%s'.", c.Name, h.Hostname, h.IPAddress)
			}
		}
	}
	return nil
}

func checkRestartPolicies(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		p := c.RestartPolicy
		if p == nil {
			continue
		}
		if err := between("restartAttemptPeriod", c.Name, p.RestartAttemptPeriod, 60, 1800); err != nil {
			return err
		}
		if len(p.IgnoredExitCodes) > 50 {
			return refuse("the 'ignoredExitCodes' setting for container '%s' can have at most 50 exit codes", c.Name)
		}
	}
	return nil
}

func ulimitNames() []string {
	return []string{"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"}
}

func checkUlimits(d *Definition) error {
	for i := range d.Containers {
		var seen []string
		for _, u := range d.Containers[i].Ulimits {
			if u.Name == "" || !slices.Contains(ulimitNames(), u.Name) {
				return refuse("ulimit name should be one of [%s]", strings.Join(ulimitNames(), ","))
			}
			if slices.Contains(seen, u.Name) {
				return refuse("Duplicate ulimit: '%s'.", u.Name)
			}
			if u.Hard >= 0 && (u.Soft > u.Hard || u.Soft < 0) {
				return refuse("Soft limit exceeds hard limit for ulimit %s", u.Name)
			}
			seen = append(seen, u.Name)
		}
	}
	return nil
}

// maxGPUs keeps a GPU count a sane number; no machine has more.
const maxGPUs = 64

func checkResourceRequirements(d *Definition) error {
	if len(d.InferenceAccelerators) > 0 {
		return refuse("Unsupported field 'inferenceAccelerators'.")
	}
	for i := range d.Containers {
		c := &d.Containers[i]
		if err := CheckResourceRequirements(c.Name, c.ResourceRequirements); err != nil {
			return err
		}
	}
	return nil
}

// CheckResourceRequirements holds a container's requirements, registered or in an
// override, against AWS's rules: whole GPUs, asked for once.
func CheckResourceRequirements(container string, reqs []ResourceRequirement) error {
	for i, r := range reqs {
		if r.Type != "GPU" {
			if r.Type == "InferenceAccelerator" {
				return refuse("Unsupported resource requirement 'InferenceAccelerator' for container '%s'.", container)
			}
			return refuse("resourceRequirements type should be one of [GPU,InferenceAccelerator]")
		}
		if n, err := strconv.Atoi(r.Value); err != nil || n < 1 || n > maxGPUs {
			return refuse("Invalid GPU count '%s' for container '%s'. It must be a whole number of at least 1.", r.Value, container)
		}
		if i > 0 {
			return refuse("Duplicate resource requirement 'GPU' for container '%s'.", container)
		}
	}
	return nil
}

// GPUs is how many GPUs the container asks for.
func (c *Container) GPUs() int {
	for _, r := range c.ResourceRequirements {
		if n, err := strconv.Atoi(r.Value); r.Type == "GPU" && err == nil {
			return n
		}
	}
	return 0
}

func checkEphemeralStorage(d *Definition) error { return CheckEphemeralStorage(d.EphemeralStorageGiB) }

// CheckEphemeralStorage holds a size, registered or in an override, against
// AWS's bounds. 0 means that none was asked for.
func CheckEphemeralStorage(gib int) error {
	switch {
	case gib == 0:
		return nil
	case gib < 21:
		return refuse("EphemeralStorage size should be at least 21")
	case gib > 200:
		return refuse("EphemeralStorage size should be at most 200")
	}
	return nil
}

// maxConstraints is AWS's limit of a task's constraints, those of the definition
// and of the call together.
const maxConstraints = 10

func checkPlacementConstraints(d *Definition) error {
	if len(d.PlacementConstraints) > maxConstraints {
		return refuse("Maximum number of constraints is %d.", maxConstraints)
	}
	for _, p := range d.PlacementConstraints {
		if p.Type != "memberOf" {
			return refuse("placement constraint type should be one of [memberOf]")
		}
		if p.Expression == "" {
			return refuse("memberOf expression should not be null or empty.")
		}
	}
	return nil
}

func checkProxy(d *Definition) error {
	p := d.ProxyConfiguration
	if p == nil {
		return nil
	}
	if err := oneOf("proxyConfiguration type", p.Type, "APPMESH"); err != nil {
		return err
	}
	if d.Mode() != AWSVPC {
		return refuse("APPMESH proxy configuration is only supported in networkMode=awsvpc.")
	}
	if d.Container(p.ContainerName) == nil {
		return refuse("Proxy container [%s] does not exist.", p.ContainerName)
	}
	return nil
}
