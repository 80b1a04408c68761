package workload

import (
	"slices"
	"strings"
)

func checkLinks(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		for _, link := range c.Links {
			name, _, _ := strings.Cut(link, ":")
			if name == c.Name {
				return refuse("Container '%s' cannot link to itself.", c.Name)
			}
			if d.Container(name) == nil {
				return refuse("Invalid 'links' setting. Unknown container: '%s'.", name)
			}
		}
	}
	return nil
}

func checkDependencies(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		for _, dep := range c.DependsOn {
			if err := checkDependency(d, c, dep); err != nil {
				return err
			}
		}
	}
	if loop := findLoop(d); loop != nil {
		return refuse("The dependencies of the containers form a cycle: %s.", strings.Join(loop, " -> "))
	}
	return nil
}

func checkDependency(d *Definition, c *Container, dep Dependency) error {
	if dep.ContainerName == "" || dep.Condition == "" {
		return refuse("Invalid 'dependsOn' setting for container '%s'. containerName and condition are required.", c.Name)
	}
	if err := oneOf("condition", string(dep.Condition), "START", "COMPLETE", "SUCCESS", "HEALTHY"); err != nil {
		return err
	}
	if dep.ContainerName == c.Name {
		return refuse("Container '%s' cannot depend on itself.", c.Name)
	}
	on := d.Container(dep.ContainerName)
	switch {
	case on == nil:
		return refuse("Cannot depend on container '%s' because it does not exist.", dep.ContainerName)
	case on.Essential && (dep.Condition == ConditionComplete || dep.Condition == ConditionSuccess):
		return refuse("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container.")
	case on.HealthCheck == nil && dep.Condition == ConditionHealthy:
		return refuse("A dependency container with HEALTHY condition must have health check configured.")
	}
	return nil
}

// waitsFor lists the containers that must come up before c: by dependsOn, links
// and volumesFrom.
func (c *Container) waitsFor() []string {
	var out []string
	for _, dep := range c.DependsOn {
		out = append(out, dep.ContainerName)
	}
	for _, link := range c.Links {
		name, _, _ := strings.Cut(link, ":")
		out = append(out, name)
	}
	for _, from := range c.VolumesFrom {
		out = append(out, from.SourceContainer)
	}
	return out
}

// findLoop returns the names along a cycle, first and last the same, or nil.
func findLoop(d *Definition) []string {
	var path, done []string
	var visit func(name string) []string
	visit = func(name string) []string {
		if at := slices.Index(path, name); at >= 0 {
			return append(slices.Clone(path[at:]), name)
		}
		c := d.Container(name)
		if c == nil || slices.Contains(done, name) {
			return nil
		}
		path = append(path, name)
		for _, next := range c.waitsFor() {
			if loop := visit(next); loop != nil {
				return loop
			}
		}
		path = path[:len(path)-1]
		done = append(done, name)
		return nil
	}
	for i := range d.Containers {
		if loop := visit(d.Containers[i].Name); loop != nil {
			return loop
		}
	}
	return nil
}
