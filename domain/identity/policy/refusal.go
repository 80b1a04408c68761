package policy

import (
	"fmt"

	"github.com/berthhq/berth/domain/fault"
)

// What IAM says of documents it does not take. Trust policies and policies of
// resources are read by another of AWS's parsers, with sentences of its own.
const (
	sayInvalidJSON  = "This policy contains invalid Json"
	saySyntax       = "Syntax errors in policy."
	sayLegacy       = "The policy failed legacy parsing"
	sayNoStatement  = "Could not parse the policy: Statement is empty!"
	sayVersion      = "The policy must contain a valid version string"
	sayNoActions    = "Policy statement must contain actions."
	sayNoResources  = "Policy statement must contain resources."
	sayPrincipal    = "Policy document should not specify a principal."
	sayVendor       = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	sayColons       = "Actions/Condition can contain only one colon."
	saySTS          = "AssumeRole policy may only specify STS AssumeRole actions."
	sayProhibited   = "Has prohibited field "
	sayMissing      = "Missing required field "
	sayUnknown      = "Unknown field "
	sayNotPrincipal = "Allow with NotPrincipal is not allowed."
	sayResourceless = "Resource vendor must be fully qualified and cannot contain regexes."
)

// reader reads a document for a use.
type reader struct {
	use       Use
	variables bool // ${...} means something
}

// refuse says in AWS's words that the document is bad, and where and why as a hint.
func refuse(sentence, place, why string, args ...any) error {
	return fault.New(fault.MalformedPolicyDocument, "%s", sentence).WithHint("%s: %s", place, fmt.Sprintf(why, args...))
}

// say picks the sentence of the parser that reads this use.
func (r *reader) say(identity, other string) string {
	if r.use == Identity {
		return identity
	}
	return other
}
