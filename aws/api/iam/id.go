package iam

import (
	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity"
)

func (a *API) newID(prefix string) (string, error) { return identity.NewID(prefix, a.entropy) }

func (a *API) uuid() string { return uuid.NewString() }

// pathOf is a path, "/" when none is given.
func pathOf(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

// arnOf makes the ARN of a resource: kind "role", path "/a/", name "b".
func arnOf(call *gateway.Call, kind, path, name string) string {
	return call.Scope.Global("iam", kind+path+name)
}
