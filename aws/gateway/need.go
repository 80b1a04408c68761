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

// On makes Needs of a function that names the resources of the call's own action.
func On[In any](fn func(*Call, *In) []string) Needs {
	return NeedsOf(func(call *Call, in *In) []Need { return []Need{{Resources: fn(call, in)}} })
}

// PassRole is the need to hand a role to a service of AWS, "ecs-tasks.amazonaws.com".
// An empty role is handed to nobody.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func PassRole(role, service string) []Need {
	if role == "" {
		return nil
	}
	return []Need{{Action: "iam:PassRole", Resources: []string{role}, Keys: map[string][]string{"iam:PassedToService": {service}}}}
}
