package workload

import "strings"

func logDrivers() []string {
	return []string{"json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens"}
}

func checkLogs(d *Definition) error {
	for i := range d.Containers {
		l := d.Containers[i].Log
		if l == nil {
			continue
		}
		if l.Driver == "" {
			return refuse("logDriver should not be null or empty in container '%s'.", d.Containers[i].Name)
		}
		if err := oneOf("logDriver", l.Driver, logDrivers()...); err != nil {
			return err
		}
		if err := checkLogOptions(l); err != nil {
			return err
		}
	}
	return nil
}

func checkLogOptions(l *LogConfiguration) error {
	if err := oneOf("mode", l.Options["mode"], "blocking", "non-blocking"); err != nil {
		return err
	}
	needed := map[string][]string{
		"awslogs": {"awslogs-region", "awslogs-group"},
		"splunk":  {"splunk-url", "splunk-token"},
	}[l.Driver]
	var missing []string
	for _, option := range needed {
		if l.Options[option] == "" && !hasSecret(l.SecretOptions, option) {
			missing = append(missing, option)
		}
	}
	if len(missing) > 0 {
		return refuse("Log driver %s requires options: %s", l.Driver, strings.Join(missing, ", "))
	}
	if l.Options["awslogs-datetime-format"] != "" && l.Options["awslogs-multiline-pattern"] != "" {
		return refuse("You cannot configure both the awslogs-datetime-format and awslogs-multiline-pattern options.")
	}
	return nil
}

func hasSecret(secrets []Secret, name string) bool {
	for _, s := range secrets {
		if s.Name == name {
			return true
		}
	}
	return false
}

func checkFirelens(d *Definition) error {
	routers, routed := 0, 0
	for i := range d.Containers {
		c := &d.Containers[i]
		if c.Log != nil && c.Log.Driver == "awsfirelens" {
			routed++
		}
		if c.Firelens == nil {
			continue
		}
		routers++
		if c.Firelens.Type != "fluentd" && c.Firelens.Type != "fluentbit" {
			return refuse("firelensConfiguration type should be one of [fluentd,fluentbit]")
		}
	}
	switch {
	case routers > 1:
		return refuse("Only one container in a task definition can have the FirelensConfiguration object.")
	case routers == 1 && routed == 0:
		return refuse("When the FirelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.")
	case routers == 0 && routed > 0:
		return refuse("When a container uses the awsfirelens log driver, another container has to be configured with the FirelensConfiguration object.")
	}
	return nil
}
