// Package fault is the closed set of errors that berth answers to API callers.
//
// A Fault names its Kind, and the Kind alone decides the AWS error code (which
// depends on the wire protocol for a few kinds), the HTTP status and whether the
// caller or berth is to blame. Messages follow AWS's words; the Hint says what
// the user can do about it. The map from Kind to wire is kinds.go and nowhere
// else.
package fault

import (
	"errors"
	"fmt"
	"maps"
)

// Fault is an error an API caller sees.
type Fault struct {
	Kind    Kind
	Message string // AWS's words where AWS has them
	Hint    string // what the user can do; may be empty
	Cause   error  // for logs only, never shown; nil when there is none

	// Resources lists the names or ARNs some AWS errors carry as a member
	// (resourceIds, ResourceIds). Usually nil.
	Resources []string
	// Members are further members of the error, by name, in the JSON protocols.
	// Usually nil.
	Members map[string]string
}

// New makes a fault of the kind with a formatted message.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns a copy of f that tells the user what to do.
func (f *Fault) WithHint(format string, args ...any) *Fault {
	g := *f
	g.Hint = fmt.Sprintf(format, args...)
	return &g
}

// Because returns a copy of f that wraps cause for the log.
func (f *Fault) Because(cause error) *Fault {
	g := *f
	g.Cause = cause
	return &g
}

// About returns a copy of f that names the resources it concerns.
func (f *Fault) About(resources ...string) *Fault {
	g := *f
	g.Resources = resources
	return &g
}

// With returns a copy of f that has a further member.
func (f *Fault) With(member, value string) *Fault {
	g := *f
	g.Members = maps.Clone(f.Members)
	if g.Members == nil {
		g.Members = map[string]string{}
	}
	g.Members[member] = value
	return &g
}

// Error is the message as the caller reads it, hint included.
func (f *Fault) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + " (hint: " + f.Hint + ")"
}

func (f *Fault) Unwrap() error { return f.Cause }

// Is matches faults of the same kind, so that errors.Is(err, &Fault{Kind: k}) works.
func (f *Fault) Is(target error) bool {
	other, ok := target.(*Fault)
	return ok && other.Kind == f.Kind && other.Message == ""
}

// Of finds the fault in err. Any other error becomes a ServerException that keeps
// err as its cause and tells the caller nothing about it.
func Of(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Kind: Server, Message: "Internal error.", Cause: err}
}

// IsKind reports whether err is a fault of the kind.
func IsKind(err error, kind Kind) bool {
	var f *Fault
	return errors.As(err, &f) && f.Kind == kind
}
