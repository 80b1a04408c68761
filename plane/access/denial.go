package access

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
)

// denial is the refusal in AWS's words.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (a *Access) denial(q *question, d policy.Decision) error {
	if q.action == "iam:PassRole" && accountOf(q.resource) != q.who.Principal.Account {
		return fault.New(fault.AccessDenied, "Cross-account pass role is not allowed.").WithHint("pass a role of account %s, not %s", q.who.Principal.Account, q.resource)
	}
	words := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", q.who.Principal.ARN, q.action, named(q), because(q.action, d))
	if q.who.Service == "ec2" {
		words = "You are not authorized to perform this operation. " + words
		if a.Seal != nil {
			words += ". Encoded authorization failure message: " + a.Seal(encoded(q, d))
		}
	}
	f := fault.New(fault.AccessDenied, "%s", words)
	switch {
	case q.standing.gone != "":
		return f.WithHint("%s", q.standing.gone)
	case d.Effect == policy.ExplicitDeny && d.Policy != "":
		return f.WithHint("%s%s denies it", d.Policy, statement(d.Sid))
	}
	return f
}

// named is the resource as refusals name it: those of S3 put it in quotation marks.
func named(q *question) string {
	if strings.HasPrefix(q.action, "s3:") {
		return strconv.Quote(q.resource)
	}
	return q.resource
}

func statement(sid string) string {
	if sid == "" {
		return ""
	}
	return ", statement " + sid + ","
}

// because tells which kind of policy decided.
func because(action string, d policy.Decision) string {
	source := d.Source
	if source == "" {
		source = policy.IdentityBased
	}
	if d.Effect == policy.ExplicitDeny {
		return "with an explicit deny in " + article(source) + " " + string(source)
	}
	return fmt.Sprintf("because no %s allows the %s action", source, action)
}

func article(s policy.Source) string {
	if s == policy.IdentityBased {
		return "an"
	}
	return "a"
}

// encoded is what DecodeAuthorizationMessage shows of a decision.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
func encoded(q *question, d policy.Decision) []byte {
	type object = map[string]any
	statements := []object{}
	for _, m := range d.Matched {
		effect := "DENY"
		if m.Allow {
			effect = "ALLOW"
		}
		statements = append(statements, object{"statementId": m.Sid, "effect": effect, "sourcePolicyId": m.Policy, "sourcePolicyType": string(m.Source)})
	}
	p := &q.who.Principal
	text, err := json.Marshal(object{
		"allowed": false, "explicitDeny": d.Effect == policy.ExplicitDeny,
		"matchedStatements": object{"items": statements}, "failures": object{"items": []object{}},
		"context": object{
			"principal": object{"id": p.UserID, "arn": p.ARN}, "action": q.action, "resource": q.resource,
			"conditions": object{"items": conditions(q.given)},
		},
	})
	if err != nil {
		panic(err) // strings only
	}
	return text
}

func conditions(given map[string][]string) []map[string]any {
	out := []map[string]any{}
	for key, values := range given {
		out = append(out, map[string]any{"key": key, "values": map[string]any{"items": values}})
	}
	return out
}
