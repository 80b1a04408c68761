package gateway

import "fmt"

// Need is one thing that a caller must be allowed to do for a call to go ahead.
type Need struct {
	Action    string   // "ecs:RunTask"; empty for the call's own
	Resources []string // ARNs, each of which must be allowed; none stands for "*"
	// Keys are the condition keys of this need beside those that every call has:
	// "ecs:cluster", "aws:RequestTag/team". Names are written as AWS does.
	Keys map[string][]string
}

// Needs lists what a call needs to be allowed. It looks names up where it must and
// changes nothing; what it cannot find it names as the caller did.
type Needs func(call *Call, in any) []Need

// NeedsOf makes Needs of a typed function.
func NeedsOf[In any](fn func(*Call, *In) []Need) Needs {
	return func(call *Call, in any) []Need {
		request, ok := in.(*In)
		if !ok {
			panic(fmt.Sprintf("%s %s is wired to the needs of a %T, got %T", call.Service, call.Operation, request, in))
		}
		return fn(call, request)
	}
}
