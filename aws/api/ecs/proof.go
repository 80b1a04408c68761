package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

// prove holds a registration's identity document against who sends it: the document
// must be one that berth signed, of the caller's own machine, in this account and
// region. Without a document come agents outside of EC2, which have none, and
// machines that joined before documents were signed, whose keys are bound already.
func (a *API) prove(call *gateway.Call, reg *registration) error {
	text, signature := member.Value(reg.in.InstanceIdentityDocument), member.Value(reg.in.InstanceIdentityDocumentSignature)
	if a.proof == nil {
		return nil
	}
	who, doc := call.Principal, &reg.document
	bound := who.Agent && who.InstanceARN != ""
	switch {
	case text == "" && !who.Agent:
		return nil
	case signature == "" && bound && (doc.InstanceID == "" || doc.InstanceID == arn.NameOf(who.ARN)):
		return nil
	}
	if err := a.proof.Check(text, signature); err != nil {
		return err
	}
	switch {
	case doc.AccountID != call.Scope.Account || doc.Region != call.Scope.Region:
		return fault.New(fault.AccessDenied, "The instance identity document is of another account or region.")
	case doc.InstanceID != arn.NameOf(who.ARN):
		return fault.New(fault.AccessDenied, "The instance identity document is of instance %s, not of %s.", doc.InstanceID, who.ARN)
	}
	return nil
}
