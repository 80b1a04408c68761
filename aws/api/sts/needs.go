package sts

import (
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/sts"
)

// Needs says what calls must be allowed to do. Who one is, and keys of one's own,
// need no permission; AssumeRole asks both sides by itself.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"AssumeRole":         nothing,
		"GetCallerIdentity":  nothing,
		"GetSessionToken":    nothing,
		"GetFederationToken": gateway.NeedsOf(federation),
	}
}

func nothing(*gateway.Call, any) []gateway.Need { return nil }

func federation(call *gateway.Call, in *shape.GetFederationTokenRequest) []gateway.Need {
	keys := map[string][]string{}
	for _, t := range in.Tags {
		keys["aws:RequestTag/"+*t.Key] = []string{*t.Value}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], *t.Key)
	}
	need := gateway.Need{Resources: []string{federated(call.Scope, *in.Name).ARN}, Keys: keys}
	if len(in.Tags) == 0 {
		return []gateway.Need{need}
	}
	tagging := need
	tagging.Action = "sts:TagSession"
	return []gateway.Need{need, tagging}
}
