package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestEveryKindHasItsRow(t *testing.T) {
	for k := range kindCount {
		if k.Code(JSON) == "" || k.Status() < 400 {
			t.Errorf("kind %d has no code or status", k)
		}
	}
}

func TestCodesFollowTheProtocol(t *testing.T) {
	for _, c := range []struct {
		kind             Kind
		json, query, ec2 string
	}{
		{UnrecognizedClient, "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"},
		{AccessDenied, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation"},
		{SignatureExpired, "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"},
		{UnknownOperation, "UnknownOperationException", "InvalidAction", "InvalidAction"},
		{ClusterNotFound, "ClusterNotFoundException", "ClusterNotFoundException", "ClusterNotFoundException"},
	} {
		if got := [3]string{c.kind.Code(JSON), c.kind.Code(Query), c.kind.Code(EC2)}; got != [3]string{c.json, c.query, c.ec2} {
			t.Errorf("%v: got %v", c.kind, got)
		}
	}
}

func TestOfKeepsFaultsAndHidesOthers(t *testing.T) {
	f := New(ClusterNotFound, "Cluster not found.").WithHint("create it")
	if got := Of(fmt.Errorf("describe: %w", f)); got != f {
		t.Errorf("lost the fault: %v", got)
	}
	secret := errors.New("password=hunter2")
	got := Of(secret)
	if got.Kind != Server || got.Error() == secret.Error() || !errors.Is(got, secret) {
		t.Errorf("foreign error became %#v", got)
	}
	if !errors.Is(f, &Fault{Kind: ClusterNotFound}) || errors.Is(f, &Fault{Kind: Server}) {
		t.Error("errors.Is does not compare kinds")
	}
}
