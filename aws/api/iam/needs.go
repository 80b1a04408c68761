package iam

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity/linked"
)

// The needs of IAM's operations: each its own action on what it is about. Those that
// are about the whole account are not listed.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html

type keys = map[string][]string

// on makes needs of a function that names the one resource and its condition keys.
func on[In any](fn func(*gateway.Call, *In) (string, keys)) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) []gateway.Need {
		resource, k := fn(call, in)
		return []gateway.Need{{Resources: []string{resource}, Keys: k}}
	})
}

// userARN is the ARN of a user by name, or of the caller.
func (a *API) userARN(call *gateway.Call, name *string) string {
	if name == nil {
		return call.Principal.ARN
	}
	if u, err := findUser(a.store.View(), call, *name); err == nil {
		return u.ARN
	}
	return arnOf(call, "user", "/", *name)
}

func (a *API) groupARN(call *gateway.Call, name string) string {
	if g, err := findGroup(a.store.View(), call, name); err == nil {
		return g.ARN
	}
	return arnOf(call, "group", "/", name)
}

func (a *API) roleARN(call *gateway.Call, name string) string {
	if r, err := findRole(a.store.View(), call, name); err == nil {
		return r.ARN
	}
	return arnOf(call, "role", "/", name)
}

func (a *API) profileARN(call *gateway.Call, name string) string {
	if p, err := findProfile(a.store.View(), call, name); err == nil {
		return p.ARN
	}
	return arnOf(call, "instance-profile", "/", name)
}

// bounds is the condition key of a boundary; none when there is none.
func bounds(policyARN string) keys {
	if policyARN == "" {
		return nil
	}
	return keys{"iam:PermissionsBoundary": {policyARN}}
}

// boundsOf is the boundary that a holder has.
func (a *API) boundsOf(call *gateway.Call, find finder, name string) keys {
	h, err := find(a.store.View(), call, name)
	if err != nil {
		return nil
	}
	return bounds(h.grants.Boundary)
}

// attaching are the keys of attaching a policy to a holder.
func (a *API) attaching(call *gateway.Call, find finder, name, policyARN string) keys {
	k := keys{"iam:PolicyARN": {policyARN}}
	for key, values := range a.boundsOf(call, find, name) {
		k[key] = values
	}
	return k
}

func newARN(call *gateway.Call, kind string, path *string, name string) string {
	return arnOf(call, kind, pathOf(path), name)
}

// addRoleNeeds has the machines of a profile become the role, which is handing it to
// EC2.
func (a *API) addRoleNeeds(call *gateway.Call, in *iam.AddRoleToInstanceProfileRequest) []gateway.Need {
	return []gateway.Need{
		{Resources: []string{a.profileARN(call, *in.InstanceProfileName)}},
		{Action: "iam:PassRole", Resources: []string{a.roleARN(call, *in.RoleName)}, Keys: keys{"iam:PassedToService": {"ec2.amazonaws.com"}}},
	}
}

func linkedNeeds(call *gateway.Call, in *iam.CreateServiceLinkedRoleRequest) (string, keys) {
	name := linked.Name(*in.AWSServiceName, member.Value(in.CustomSuffix))
	return arnOf(call, "role", "/aws-service-role/"+*in.AWSServiceName+"/", name), keys{"iam:AWSServiceName": {*in.AWSServiceName}}
}

// renamed are both what a resource is called and what it will be.
func renamed(call *gateway.Call, have, kind string, path, name *string) []gateway.Need {
	next := have
	a, err := arn.Parse(have)
	if err == nil && (path != nil || name != nil) {
		was := a.Name()
		if name == nil {
			name = &was
		}
		next = newARN(call, kind, path, *name)
	}
	if next == have {
		return []gateway.Need{{Resources: []string{have}}}
	}
	return []gateway.Need{{Resources: []string{have, next}}}
}
