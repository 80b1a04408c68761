package wire_test

import (
	"net/http"
	"testing"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

func signedFor(scope string) []string {
	return []string{"Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/" + scope + "/aws4_request, SignedHeaders=host, Signature=00"}
}

func TestDetect(t *testing.T) {
	form := func(text, scope string) *http.Request {
		return request("POST", "/", text, append(signedFor(scope), "Content-Type", formType+"; charset=utf-8")...)
	}
	for _, c := range []struct {
		name      string
		r         *http.Request
		service   string
		operation string
		protocol  wire.Protocol
	}{
		{"target", ecsRequest("RunTask", "{}"), "ecs", "RunTask", wire.AWSJSON11},
		{"elbv2 by version", form("Action=DescribeLoadBalancers&Version=2015-12-01", "elasticloadbalancing"), "elbv2", "DescribeLoadBalancers", wire.AWSQuery},
		{"elb by version", form("Action=DescribeLoadBalancers&Version=2012-06-01", "elasticloadbalancing"), "elb", "DescribeLoadBalancers", wire.AWSQuery},
		{"ec2", form("Action=DescribeVpcs&Version=2016-11-15", "ec2"), "ec2", "DescribeVpcs", wire.EC2Query},
		{"ec2 of an older client", form("Action=DescribeVpcs&Version=2014-10-01", "ec2"), "ec2", "DescribeVpcs", wire.EC2Query},
		{"query in the URL", request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", ""), "sts", "GetCallerIdentity", wire.AWSQuery},
		{"presigned", request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fsts%2Faws4_request", ""), "sts", "GetCallerIdentity", wire.AWSQuery},
		{"cbor", request("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "", "Smithy-Protocol", "rpc-v2-cbor"), "cloudwatch", "ListMetrics", wire.CBOR},
		{"cloudwatch as json", request("POST", "/", "{}", "X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics", "Content-Type", "application/x-amz-json-1.0"), "cloudwatch", "ListMetrics", wire.AWSJSON10},
		{"rest", request("GET", "/2015-02-01/file-systems", "", signedFor("elasticfilesystem")...), "efs", "DescribeFileSystems", wire.RESTJSON},
		{"rest with a label", request("GET", "/2015-02-01/file-systems/fs-1/policy", "", signedFor("elasticfilesystem")...), "efs", "DescribeFileSystemPolicy", wire.RESTJSON},
		{"rest, a fixed path beside a label", request("GET", "/2015-02-01/file-systems/replication-configurations", "", signedFor("elasticfilesystem")...), "efs", "DescribeReplicationConfigurations", wire.RESTJSON},
		{"rest, account", request("POST", "/listRegions", "{}", signedFor("account")...), "account", "ListRegions", wire.RESTJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, _, err := read(c.r)
			if err != nil {
				t.Fatal(err)
			}
			if q.Service.Name != c.service || q.Name != c.operation || q.Protocol != c.protocol {
				t.Errorf("got %s %s in %s", q.Service.Name, q.Name, q.Protocol)
			}
		})
	}
}

func TestWhatIsNotOfferedIsRefusedInItsProtocol(t *testing.T) {
	for _, c := range []struct {
		name string
		r    *http.Request
		code string
	}{
		{"operation", ecsRequest("Nothing", "{}"), "UnknownOperationException"},
		{"service", request("POST", "/", "{}", "X-Amz-Target", "Other.Op"), "UnknownOperationException"},
		{"target without a dot", request("POST", "/", "{}", "X-Amz-Target", "Op"), "UnknownOperationException"},
		{"action", request("POST", "/", "Action=Nothing&Version=2010-05-08", "Content-Type", formType), "InvalidAction"},
		{"no action", request("POST", "/", "Version=2010-05-08", "Content-Type", formType), "MissingParameter"},
		{"path", request("GET", "/", ""), "UnknownOperationException"},
		{"cbor path", request("POST", "/service/X", "", "Smithy-Protocol", "rpc-v2-cbor"), "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, _, err := read(c.r)
			if err == nil {
				t.Fatalf("taken for %s", q.Name)
			}
			if got := fault.Of(err).Kind.Code(q.Protocol.Family()); got != c.code {
				t.Errorf("code %s, want %s", got, c.code)
			}
		})
	}
}

func TestGatewayOperationsAreKnownByName(t *testing.T) {
	r := ecsRequest("CreateGateway", "{}")
	q, err := directory().Detect(r, []byte("{}"))
	if err != nil || q.Operation.Modelled() {
		t.Errorf("CreateGateway: %v, modelled %v", err, q.Operation.Modelled())
	}
}
