package policy

import (
	"fmt"
	"slices"
	"strings"
)

// resource is one value of Resource or NotResource.
type resource struct {
	wildcard
	template template // instead, where it has variables
}

func (r *reader) resource(s *statement, o object, place string) error {
	list, not, err := r.pair(o, "Resource", place)
	if err != nil {
		return err
	}
	element := "Resource"
	if not {
		element, s.source.NotResources = "NotResource", list
	} else {
		s.source.Resources = list
	}
	_, stated := o.get(element)
	switch {
	case stated && not && r.use == Trust:
		return refuse("AssumeRole policy must not contain resources.", place+"."+element, "a trust policy is about its own role")
	case stated && r.use == Trust:
		return refuse(sayProhibited+element, place+"."+element, "a trust policy is about its own role")
	case len(list) == 0 && (stated || r.use == Identity):
		return refuse(r.say(sayNoResources, sayMissing+element), place+"."+element, "name at least one resource, or %q", "*")
	}
	s.notRes = not
	for _, text := range list {
		if err := r.addResource(s, text, place+"."+element); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) addResource(s *statement, text, place string) error {
	if text == "*" {
		s.resources = append(s.resources, resource{wildcard: newWildcard(markWildcards(text))})
		return nil
	}
	fields, err := checkResource(text, place)
	if err != nil {
		return err
	}
	t, err := r.template(strings.Join(fields, ":"), arnMarking(true))
	if err != nil {
		return refuse(sayLegacy, place, "%v", err)
	}
	if pattern, ok := t.constant(); ok {
		s.resources = append(s.resources, resource{wildcard: newWildcard(pattern)})
		return nil
	}
	s.resources = append(s.resources, resource{template: t})
	return nil
}

// template reads a text with variables, where the version knows them.
func (r *reader) template(text string, mark marking) (template, error) {
	if !r.variables {
		return template{{text: mark(text)}}, nil
	}
	return parseTemplate(text, mark)
}

// checkResource gives the six fields of an ARN; those that are not there are *.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func checkResource(text, place string) ([]string, error) {
	fields := strings.SplitN(text, ":", 6)
	if len(fields) < 2 {
		return nil, refuse(`Resource `+text+` must be in ARN format or "*".`, place, "%q is no ARN", text)
	}
	short := len(fields) < 3
	for len(fields) < 6 {
		fields = append(fields, "*")
	}
	full := strings.Join(append([]string{"arn"}, fields[1:]...), ":")
	switch service := fields[2]; {
	case !isPartition(fields[1]):
		return nil, refuse(fmt.Sprintf("Partition %q is not valid for resource %q.", fields[1], full), place, "the partition is aws, aws-cn or aws-us-gov")
	case short || strings.ContainsAny(service, "*?$"):
		return nil, refuse(sayResourceless, place, "name the service in %q", text)
	case service == "iam" && fields[3] != "" && fields[3] != "*":
		return nil, refuse("IAM resource "+text+" cannot contain region information.", place, "leave the region empty")
	case service == "s3" && fields[3] != "" && fields[3] != "*" && fields[4] == "": // access points have a region, and an account
		return nil, refuse("Resource "+text+" can not contain region information.", place, "leave the region empty")
	case fields[0] != "arn" || service == "" || !isAccountField(fields[4]) || strings.Contains(fields[3], "$"):
		return nil, refuse(sayLegacy, place, "%q is not arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE with variables in RESOURCE only", text)
	}
	if fields[2] == "iam" && !isIAMPath(fields[5]) {
		return nil, refuse(`IAM resource path must either be "*" or start with `+strings.Join(iamPaths[:], ", ")+".", place, "%q does not", fields[5])
	}
	return fields, nil
}

// iamPaths are what resources of IAM begin with.
var iamPaths = [...]string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/", "sms-mfa/",
	"saml-provider/", "oidc-provider/", "report/", "access-report/",
}

func isIAMPath(path string) bool {
	kind, _, _ := strings.Cut(path, "/")
	return strings.ContainsAny(kind, "*?$") || slices.ContainsFunc(iamPaths[:], func(p string) bool { return strings.HasPrefix(path, p) })
}

func isPartition(s string) bool {
	return s == "*" || s == "aws" || strings.HasPrefix(s, "aws-") && !strings.ContainsAny(s, "*?$")
}

// isAccountField takes account numbers, the names AWS has there ("aws"), and
// wildcards.
func isAccountField(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '*' && c != '?'
	})
}

// arnMarking marks the wildcards of an ARN: in its first five fields they stay
// within the field. With loose, a * that ends such a field may match beyond, as it
// may in Resource.
func arnMarking(loose bool) marking {
	colons := 0
	return func(text string) string {
		b := []byte(text)
		for i, c := range b {
			ends := loose && (i+1 == len(text) || text[i+1] == ':')
			switch {
			case c == ':':
				colons++
			case c == '*' && (colons >= 5 || ends):
				b[i] = markRun
			case c == '*':
				b[i] = markPartRun
			case c == '?' && colons >= 5:
				b[i] = markOne
			case c == '?':
				b[i] = markPartOne
			}
		}
		return string(b)
	}
}

// covers tells whether a statement is about the request's resource.
func (s *statement) covers(e *evaluation) bool {
	if len(s.resources) == 0 {
		return true
	}
	named, unresolved := false, false
	for i := range s.resources {
		hit, ok := s.resources[i].matches(e)
		named, unresolved = named || hit, unresolved || !ok
	}
	if !s.notRes {
		return named
	}
	// With a variable nobody knows, what is spared is not known: a Deny spares
	// nothing for its sake, an Allow allows nothing.
	return !named && (!unresolved || !s.allow)
}

func (r *resource) matches(e *evaluation) (hit, resolved bool) {
	if r.template == nil {
		return r.wildcard.matches(e.q.Resource), true
	}
	pattern, ok := e.fill(r.template)
	return ok && glob(pattern, e.q.Resource), ok
}
