package policy

import "github.com/berthhq/berth/domain/fault"

// Document is a policy that was read. It never changes.
type Document struct{}

// Parse reads a policy. What it refuses is a MalformedPolicyDocument that says where.
func Parse(text string, use Use) (*Document, error) {
	return nil, fault.New(fault.UnsupportedFeature, "policies are not read yet")
}

// Decide tells whether the policies let the request pass.
func Decide(q *Request, p *Policies) Decision { return Decision{} }
