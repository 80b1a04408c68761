package workload

import (
	"slices"
	"strings"
)

// maxContainers is AWS's quota of containers in a task definition.
const maxContainers = 10

// isName tells whether s is 1 to 255 letters, digits, hyphens and underscores:
// the form of the names of families, containers, volumes and clusters.
func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 255 && strings.IndexFunc(s, notNameRune) < 0
}

func notNameRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

func checkFamily(d *Definition) error {
	switch {
	case d.Family == "":
		return refuse("Family should not be null or empty.")
	case len(d.Family) > 255:
		return refuse("Family name is too long. It must be at most 255 characters.")
	case !isName(d.Family):
		return refuse("Family contains invalid characters.")
	}
	return nil
}

func checkContainers(d *Definition) error {
	if len(d.Containers) == 0 {
		return refuse("Container list cannot be empty.")
	}
	if len(d.Containers) > maxContainers {
		return refuse("Container list cannot have more than %d containers.", maxContainers)
	}
	var seen []string
	essential := false
	for i := range d.Containers {
		c := &d.Containers[i]
		if err := checkContainerNames(c); err != nil {
			return err
		}
		if slices.Contains(seen, c.Name) {
			return refuse("Container names must be unique within a task definition. Duplicate name: '%s'.", c.Name)
		}
		seen = append(seen, c.Name)
		essential = essential || c.Essential
	}
	if !essential {
		return refuse("Task definition doesn't have any essential container.")
	}
	return nil
}

func checkContainerNames(c *Container) error {
	switch {
	case c.Name == "":
		return refuse("Container.name should not be null or empty.")
	case !isName(c.Name):
		return refuse("Container.name contains invalid characters.")
	case c.Image == "":
		return refuse("Container.image should not be null or empty.")
	case len(imageName(c.Image)) > 255 || strings.ContainsFunc(c.Image, notImageRune):
		return refuse("Container.image contains invalid characters.")
	}
	return nil
}

// imageName is the image without its digest, which AWS does not count.
func imageName(image string) string {
	name, _, _ := strings.Cut(image, "@")
	return name
}

func notImageRune(r rune) bool {
	return notNameRune(r) && !strings.ContainsRune(":./#@", r)
}

// oneOf refuses a word that is not in AWS's list. The empty word means that the
// caller did not say.
func oneOf(field, word string, words ...string) error {
	if word == "" || slices.Contains(words, word) {
		return nil
	}
	return refuse("%s should be one of [%s]", field, strings.Join(words, ","))
}

func checkModes(d *Definition) error {
	if err := oneOf("networkMode", string(d.NetworkMode), "bridge", "host", "awsvpc", "none"); err != nil {
		return err
	}
	if err := oneOf("pidMode", d.PIDMode, "host", "task"); err != nil {
		return err
	}
	if err := oneOf("ipcMode", d.IPCMode, "host", "task", "none"); err != nil {
		return err
	}
	for _, l := range d.RequiresCompatibilities {
		if err := oneOf("requiresCompatibilities", string(l), "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"); err != nil {
			return err
		}
	}
	return nil
}

func checkPlatform(d *Definition) error {
	p := d.RuntimePlatform
	if p == nil {
		return nil
	}
	if err := oneOf("cpuArchitecture", p.CPUArchitecture, "X86_64", "ARM64"); err != nil {
		return err
	}
	return oneOf("operatingSystemFamily", p.OperatingSystemFamily, "LINUX",
		"WINDOWS_SERVER_2019_FULL", "WINDOWS_SERVER_2019_CORE", "WINDOWS_SERVER_2016_FULL", "WINDOWS_SERVER_2004_CORE",
		"WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2022_FULL", "WINDOWS_SERVER_2025_CORE", "WINDOWS_SERVER_2025_FULL",
		"WINDOWS_SERVER_20H2_CORE")
}

func (d *Definition) isWindows() bool {
	return d.RuntimePlatform != nil && strings.HasPrefix(d.RuntimePlatform.OperatingSystemFamily, "WINDOWS")
}
