package placement

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/cluster"
)

// Refusal is why one instance did not take the task. Reason is AWS's word for
// failures[], Detail the amounts behind it.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
type Refusal struct {
	InstanceARN string
	Reason      string
	Detail      string
	Lacks       []cluster.Lack
}

func (b *Board) explain(r *Request, f *filter) []Refusal {
	out := make([]Refusal, 0, len(b.instances))
	for i := range b.instances {
		if r.Provider != "" && !b.provider(r.Provider)[i] {
			continue
		}
		out = append(out, b.refuse(i, r, f))
	}
	return out
}

func (b *Board) refuse(i int, r *Request, f *filter) Refusal {
	inst := b.instances[i]
	out := Refusal{InstanceARN: inst.ARN}
	if why := b.placeable[i]; why != "" {
		out.Reason, out.Detail = why, "the instance is "+string(inst.Status)
		switch why {
		case "AGENT":
			out.Detail = "the agent is not connected"
			if inst.Refused != "" {
				out.Detail += ", and may not be: " + inst.Refused
			}
		case unattended:
			out.Detail = "a critical daemon of the instance does not run there yet"
		}
		return out
	}
	for _, a := range r.Requires {
		if !b.attribute(a.Name, a.Value)[i] {
			out.Reason, out.Detail = "ATTRIBUTE", "the instance lacks the attribute "+a.Name
			return out
		}
	}
	for _, c := range r.Constraints {
		if c.Type == "memberOf" && !b.constraint(c.Expression).match[i] {
			out.Reason, out.Detail = "MemberOf placement constraint unsatisfied.", c.Expression
			return out
		}
	}
	if f.distinct != nil && f.distinct[i] > 0 {
		out.Reason = "distinctInstance placement constraint unsatisfied."
		out.Detail = fmt.Sprintf("%d tasks of %s run there", f.distinct[i], r.Group)
		return out
	}
	d := b.demand(i, r)
	out.Lacks = cluster.Lacks(&inst.Registered, b.usage[i], &d)
	if len(out.Lacks) > 0 {
		out.Reason = "RESOURCE:" + out.Lacks[0].Resource
		words := make([]string, len(out.Lacks))
		for j, l := range out.Lacks {
			words[j] = l.String()
		}
		out.Detail = strings.Join(words, "; ")
	}
	return out
}
