package secret

import (
	"regexp"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

const (
	maxLevels     = 15
	maxNameLength = 1011
)

var (
	nameForm  = regexp.MustCompile(`^/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$`)
	labelForm = regexp.MustCompile(`^[a-zA-Z_.-][a-zA-Z0-9_.-]*$`)
)

// CheckParameterName holds what AWS asks of a name that is to be made.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
func CheckParameterName(name string) error {
	bare := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case strings.HasPrefix(name, "/aws/") || name == "/aws":
		return fault.New(fault.AccessDenied, "No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(bare, "aws") || strings.HasPrefix(bare, "ssm") || !nameForm.MatchString(name):
		return fault.New(fault.Validation, `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	case strings.Contains(bare, "/") && name[0] != '/':
		return fault.New(fault.Validation, "Parameter name must be a fully qualified name.").WithHint("begin it with a slash")
	case strings.Count(name, "/") > maxLevels:
		return fault.New(fault.HierarchyLevelLimit, "Parameter hierarchies are limited to a maximum of fifteen levels.")
	case len(name) > maxNameLength:
		return fault.New(fault.Validation, "Parameter name cannot be longer than %d characters.", maxNameLength)
	}
	return nil
}

// CheckPath holds what AWS asks of the path of a search.
func CheckPath(path string) error {
	if path == "/" || path[0] == '/' && nameForm.MatchString(strings.TrimSuffix(path, "/")) {
		return nil
	}
	return fault.New(fault.Validation, `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
}

// Below tells whether a parameter is below a path: right below it, or anywhere. A
// name without a slash is below the root.
func Below(name, path string, recursive bool) bool {
	path = strings.TrimSuffix(path, "/") + "/"
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	rest, ok := strings.CutPrefix(name, path)
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}

// IsLabel tells whether a version may have the label.
func IsLabel(label string) bool {
	l := strings.ToLower(label)
	return labelForm.MatchString(label) && !strings.HasPrefix(l, "aws") && !strings.HasPrefix(l, "ssm")
}
