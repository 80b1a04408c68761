package audit

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/berthhq/berth/domain/workload"
)

// definition audits one task definition.
func definition(d *workload.Definition) []Finding {
	name := fmt.Sprintf("%s:%d", d.Family, d.Revision)
	var out []Finding
	if d.PIDMode == "host" {
		out = append(out, Finding{Privileges, "host-pid", High, name, "pidMode host shows its containers every process of the machine.", "leave pidMode out, or use `task`"})
	}
	if d.TaskRoleARN != "" && d.TaskRoleARN == d.ExecutionRoleARN {
		out = append(out, Finding{Roles, "one-role-for-both", Medium, name, "The task role is the execution role too, so the application may read what only its start needs.", "give the application a role of its own"})
	}
	for i := range d.Containers {
		out = append(out, container(name+"/"+d.Containers[i].Name, d, &d.Containers[i])...)
	}
	return out
}

func container(name string, d *workload.Definition, c *workload.Container) []Finding {
	var out []Finding
	for _, e := range c.Environment {
		if looksSecret(e) {
			out = append(out, Finding{Secrets, "secret-in-environment", High, name, "The variable " + e.Name + " seems to hold a secret in plain text: everybody who may describe the task definition reads it.", "store it in Secrets Manager or as a SecureString, and name it under `secrets`"})
		}
	}
	if c.Privileged != nil && *c.Privileged {
		out = append(out, Finding{Privileges, "privileged", High, name, "The container is privileged: it is root on the machine.", "add the one capability or device it needs under linuxParameters"})
	}
	if c.Linux != nil && c.Linux.Capabilities != nil {
		for _, added := range c.Linux.Capabilities.Add {
			if added == "ALL" || added == "SYS_ADMIN" {
				out = append(out, Finding{Privileges, "wide-capability", Medium, name, "The capability " + added + " comes close to being root on the machine.", "add only what the program needs"})
			}
		}
	}
	out = append(out, imageOf(name, c)...)
	return append(out, fixedPorts(name, d, c)...)
}

// secretName and secretValue are deliberately few: a finding that is often wrong is
// no longer read.
var (
	secretName  = regexp.MustCompile(`(?i)(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)(_|$)`)
	harmless    = regexp.MustCompile(`(?i)_(FILE|PATH|ARN|ID|NAME|URL|URI|TTL|LENGTH|EXPIRY)$`)
	secretValue = regexp.MustCompile(`(AKIA|ASIA)[A-Z2-7]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|^gh[pousr]_[A-Za-z0-9]{36}|://[^/:@\s]+:[^/@\s]+@`)
)

func looksSecret(e workload.KeyValue) bool {
	if e.Value == "" {
		return false
	}
	return secretName.MatchString(e.Name) && !harmless.MatchString(e.Name) || secretValue.MatchString(e.Value)
}

func imageOf(name string, c *workload.Container) []Finding {
	if strings.Contains(c.Image, "@sha256:") {
		return nil
	}
	f := Finding{Images, "mutable-tag", Low, name, "The image " + c.Image + " is named by a tag, which may be moved.", "name it by its digest: NAME@sha256:..."}
	last := c.Image[strings.LastIndexByte(c.Image, '/')+1:]
	if !strings.Contains(last, ":") || strings.HasSuffix(last, ":latest") {
		f.Severity, f.Rule = Medium, "latest-tag"
		f.Text = "The image " + c.Image + " is whatever was pushed last."
	}
	return []Finding{f}
}

func fixedPorts(name string, d *workload.Definition, c *workload.Container) []Finding {
	if d.NetworkMode == workload.AWSVPC {
		return nil
	}
	var out []Finding
	for _, p := range c.PortMappings {
		if p.HostPort != nil && *p.HostPort > 0 {
			out = append(out, Finding{Ports, "fixed-host-port", Low, name, fmt.Sprintf("Port %d of the machine is the container's, on all its addresses.", *p.HostPort), "leave hostPort out for a dynamic one behind a balancer, or use awsvpc mode with a security group"})
		}
	}
	return out
}
