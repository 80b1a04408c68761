package policy

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

// Denial is what AWS says to somebody it does not let pass.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func Denial(q *Request, d Decision) string {
	who := q.Principal.ARN
	if who == "" {
		who = "anonymous"
	}
	message := "User: " + who + " is not authorized to perform: " + q.Action + " on resource: " + q.Resource
	if d.Effect != ExplicitDeny {
		return message + " because no " + string(d.Source) + " allows the " + q.Action + " action"
	}
	message += " with an explicit deny in " + article(d.Source) + " " + string(d.Source)
	if arn.IsARN(d.Policy) {
		message += ": " + d.Policy
	}
	return message
}

func article(s Source) string {
	switch {
	case s == TrustBased:
		return "the"
	case strings.HasPrefix(string(s), "i"):
		return "an"
	}
	return "a"
}
