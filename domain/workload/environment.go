package workload

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

// maxEnvironmentFiles is AWS's limit of environment files in one container.
const maxEnvironmentFiles = 10

func checkEnvironment(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		for _, e := range c.Environment {
			if e.Name == "" {
				return refuse("Environment variable name should not be null or empty in container '%s'.", c.Name)
			}
			if strings.ContainsAny(e.Name, "=\x00") {
				return refuse("Environment variable name contains invalid characters in container '%s': '%s'.", c.Name, e.Name)
			}
		}
		if err := CheckEnvironmentFiles(c.EnvironmentFiles); err != nil {
			return err
		}
		if len(c.EnvironmentFiles) > 0 && d.ExecutionRoleARN == "" {
			return needsExecutionRole("environment files")
		}
	}
	return nil
}

// CheckEnvironmentFiles holds a container's environment files, registered or in
// an override, against AWS's rules.
func CheckEnvironmentFiles(files []EnvironmentFile) error {
	if len(files) > maxEnvironmentFiles {
		return refuse("The maximum number of environment files was exceeded. Specify ten or less and try again.")
	}
	for _, f := range files {
		if f.Type != "s3" {
			return refuse("environmentFiles type should be one of [s3]")
		}
		if a, err := arn.Parse(f.Value); err != nil || a.Service != "s3" {
			return refuse("Invalid arn syntax.").WithHint("an environment file is named by its full ARN, such as arn:aws:s3:::bucket/file.env")
		}
	}
	return nil
}

func needsExecutionRole(what string) error {
	return refuse("When you are specifying %s, you must also specify a value for 'executionRoleArn'.", what)
}

func checkSecrets(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		if err := checkContainerSecrets(c); err != nil {
			return err
		}
		if d.ExecutionRoleARN != "" {
			continue
		}
		switch {
		case len(c.Secrets) > 0 || c.Log != nil && len(c.Log.SecretOptions) > 0:
			return needsExecutionRole("container secrets")
		case c.RepositoryCredentials != "":
			return needsExecutionRole("repository credentials")
		}
	}
	return nil
}

func checkContainerSecrets(c *Container) error {
	var names []string
	for _, e := range c.Environment {
		names = append(names, e.Name)
	}
	for _, s := range c.Secrets {
		if s.Name == "" {
			return refuse("Secret name should not be null or empty in container '%s'.", c.Name)
		}
		if s.ValueFrom == "" {
			return refuse("Secret valueFrom should not be null or empty in container '%s'.", c.Name)
		}
		if slices.Contains(names, s.Name) {
			return refuse("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", s.Name)
		}
		names = append(names, s.Name)
	}
	return nil
}
