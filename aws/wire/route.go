package wire

import (
	"net/url"
	"strings"
)

// route is the compiled path of a restJson1 operation.
type route struct {
	op       *Operation
	segments []string // "{Label}" matches one segment, "{Label+}" the rest
	fixed    int      // segments that are not labels; more of them wins
}

func newRoute(op *Operation) route {
	path, _, _ := strings.Cut(op.Path, "?")
	r := route{op: op, segments: segmentsOf(path)}
	for _, s := range r.segments {
		if !isLabel(s) {
			r.fixed++
		}
	}
	return r
}

func isLabel(segment string) bool { return strings.HasPrefix(segment, "{") }

// segmentsOf splits an escaped path. A slash at the end makes no difference.
func segmentsOf(path string) []string {
	return strings.Split(strings.Trim(path, "/"), "/")
}

// match reads the labels of a path; ok is false when it is another path.
func (r route) match(method string, segments []string) (labels map[string]string, ok bool) {
	if method != r.op.Method {
		return nil, false
	}
	labels = map[string]string{}
	for i, want := range r.segments {
		if i >= len(segments) {
			return nil, false
		}
		if !isLabel(want) {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		name, greedy := strings.CutSuffix(strings.Trim(want, "{}"), "+")
		value := segments[i]
		if greedy {
			value = strings.Join(segments[i:], "/")
		}
		plain, err := url.PathUnescape(value)
		if err != nil || plain == "" {
			return nil, false
		}
		labels[name] = plain
		if greedy {
			return labels, true
		}
	}
	return labels, len(segments) == len(r.segments)
}

// findRoute is the operation of a REST request: of those that match, the one
// whose path has the most fixed segments.
func (s *Service) findRoute(method, escapedPath string) (*Operation, map[string]string) {
	segments := segmentsOf(escapedPath)
	var best *Operation
	var found map[string]string
	fixed := -1
	for _, r := range s.routes {
		if labels, ok := r.match(method, segments); ok && r.fixed > fixed {
			best, found, fixed = r.op, labels, r.fixed
		}
	}
	return best, found
}
