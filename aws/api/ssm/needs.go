package ssm

import (
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/api/kms"
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Needs says by operation what a call must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"PutParameter":    gateway.NeedsOf(a.needsOfPut),
		"DeleteParameter": on(a, func(in *shape.DeleteParameterRequest) []string { return []string{*in.Name} }),
		"DeleteParameters": on(a, func(in *shape.DeleteParametersRequest) []string {
			return in.Names
		}),

		"GetParameter": gateway.NeedsOf(func(call *gateway.Call, in *shape.GetParameterRequest) []gateway.Need {
			return a.needsOfGet(call, []string{*in.Name}, member.Value(in.WithDecryption))
		}),
		"GetParameters": gateway.NeedsOf(func(call *gateway.Call, in *shape.GetParametersRequest) []gateway.Need {
			return a.needsOfGet(call, in.Names, member.Value(in.WithDecryption))
		}),
		"GetParametersByPath": gateway.NeedsOf(a.needsOfPath),
		"GetParameterHistory": gateway.NeedsOf(a.needsOfHistory),

		"LabelParameterVersion":   on(a, func(in *shape.LabelParameterVersionRequest) []string { return []string{*in.Name} }),
		"UnlabelParameterVersion": on(a, func(in *shape.UnlabelParameterVersionRequest) []string { return []string{*in.Name} }),

		"AddTagsToResource":      gateway.NeedsOf(a.needsOfTag),
		"RemoveTagsFromResource": gateway.NeedsOf(a.needsOfUntag),
		"ListTagsForResource":    on(a, func(in *shape.ListTagsForResourceRequest) []string { return []string{*in.ResourceId} }),
	}
}

type keys = map[string][]string

// on is the operation's own action on parameters.
func on[In any](a *API, names func(*In) []string) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) (needs []gateway.Need) {
		for _, name := range names(in) {
			needs = append(needs, a.need(call, name))
		}
		return needs
	})
}

// need is the call's own action on a parameter.
func (a *API) need(call *gateway.Call, asked string) gateway.Need {
	name, _ := split(asked)
	p, ok := store.FindParameter(a.store.View(), call.Scope, name)
	switch {
	case ok:
		all := keys{}
		for _, t := range p.Tags {
			all["aws:ResourceTag/"+t.Key] = []string{t.Value}
			all["ssm:resourceTag/"+t.Key] = []string{t.Value}
		}
		return gateway.Need{Resources: []string{p.ARN}, Keys: all}
	case arn.IsARN(name):
		return gateway.Need{Resources: []string{name}, Keys: keys{}}
	}
	return gateway.Need{Resources: []string{resourceARN(call, name)}, Keys: keys{}}
}

// resourceARN names a parameter that is not there. What AWS publishes belongs to no
// account.
func resourceARN(call *gateway.Call, name string) string {
	scope := call.Scope
	if strings.HasPrefix(name, publicPrefix) {
		scope.Account = ""
	}
	return secret.ParameterARN(scope, name)
}

func (a *API) needsOfGet(call *gateway.Call, names []string, decrypt bool) (needs []gateway.Need) {
	for _, asked := range names {
		if id, ok := strings.CutPrefix(asked, secret.SecretReference); ok {
			needs = append(needs, gateway.Need{Resources: []string{resourceARN(call, asked)}})
			needs = append(needs, a.secrets.NeedsOfGet(call, &secretsmanager.GetSecretValueRequest{SecretId: &id})...)
			continue
		}
		needs = append(needs, a.need(call, asked))
		if !decrypt {
			continue
		}
		name, s := split(asked)
		r := a.store.View()
		if p, ok := store.FindParameter(r, call.Scope, name); ok {
			if e, err := choose(r, p, s); err == nil {
				needs = append(needs, a.onKey(call, e.KeyARN, p.ARN, "kms:Decrypt")...)
			}
		}
	}
	return needs
}

// needsOfPath asks for the path itself, which a policy names as parameter/PATH*.
func (a *API) needsOfPath(call *gateway.Call, in *shape.GetParametersByPathRequest) []gateway.Need {
	path := strings.TrimSuffix(*in.Path, "/")
	needs := []gateway.Need{{Resources: []string{resourceARN(call, path)}, Keys: keys{"ssm:Recursive": {strconv.FormatBool(member.Value(in.Recursive))}}}}
	if !member.Value(in.WithDecryption) || secret.CheckPath(*in.Path) != nil {
		return needs
	}
	r, seen := a.store.View(), map[string]bool{}
	for p, e := range all(r, call) {
		if secret.Below(p.Name, *in.Path, member.Value(in.Recursive)) && !seen[e.KeyARN] {
			seen[e.KeyARN] = true
			needs = append(needs, a.onKey(call, e.KeyARN, p.ARN, "kms:Decrypt")...)
		}
	}
	return needs
}

func (a *API) needsOfHistory(call *gateway.Call, in *shape.GetParameterHistoryRequest) []gateway.Need {
	needs, r := []gateway.Need{a.need(call, *in.Name)}, a.store.View()
	p, ok := store.FindParameter(r, call.Scope, *in.Name)
	if !ok || !member.Value(in.WithDecryption) {
		return needs
	}
	seen := map[string]bool{}
	for _, e := range editions(r, p) {
		if !seen[e.KeyARN] {
			seen[e.KeyARN] = true
			needs = append(needs, a.onKey(call, e.KeyARN, p.ARN, "kms:Decrypt")...)
		}
	}
	return needs
}

func (a *API) needsOfPut(call *gateway.Call, in *shape.PutParameterRequest) []gateway.Need {
	need := a.need(call, *in.Name)
	need.Keys["ssm:Overwrite"] = []string{strconv.FormatBool(member.Value(in.Overwrite))}
	if in.Policies != nil {
		need.Keys["ssm:Policies"] = []string{*in.Policies}
	}
	tagKeys(need.Keys, in.Tags)
	needs := []gateway.Need{need}
	if len(in.Tags) > 0 {
		needs = append(needs, gateway.Need{Action: "ssm:AddTagsToResource", Resources: need.Resources, Keys: need.Keys})
	}
	if in.Type == shape.ParameterTypeSecureString || in.KeyId != nil {
		action := "kms:Encrypt"
		if in.Tier == shape.ParameterTierAdvanced {
			action = "kms:GenerateDataKey"
		}
		needs = append(needs, a.onKey(call, member.Value(in.KeyId), need.Resources[0], action)...)
	}
	return needs
}

func (a *API) needsOfTag(call *gateway.Call, in *shape.AddTagsToResourceRequest) []gateway.Need {
	need := a.need(call, *in.ResourceId)
	tagKeys(need.Keys, in.Tags)
	return []gateway.Need{need}
}

func (a *API) needsOfUntag(call *gateway.Call, in *shape.RemoveTagsFromResourceRequest) []gateway.Need {
	need := a.need(call, *in.ResourceId)
	need.Keys["aws:TagKeys"] = in.TagKeys
	return []gateway.Need{need}
}

func tagKeys(all keys, tags []shape.Tag) {
	for _, t := range tags {
		all["aws:RequestTag/"+*t.Key] = []string{*t.Value}
		all["aws:TagKeys"] = append(all["aws:TagKeys"], *t.Key)
	}
}

// onKey is what a SecureString needs of its key: nothing of one that AWS manages.
func (a *API) onKey(call *gateway.Call, name, parameterARN, action string) []gateway.Need {
	use := kms.Use{Service: "ssm", Scope: call.Scope, Key: name, Context: map[string]string{"PARAMETER_ARN": parameterARN}, Actions: []string{action}}
	return use.Needs(a.store.View(), call)
}
