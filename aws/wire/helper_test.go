package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/shape/account"
	"github.com/berthhq/berth/aws/shape/autoscaling"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/efs"
	"github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

func directory() *wire.Directory {
	return wire.NewDirectory(account.API, autoscaling.API, cloudwatch.API, ec2.API, ecr.API, ecs.API,
		efs.API, elb.API, elbv2.API, iam.API, logs.API, sts.API)
}

const formType = "application/x-www-form-urlencoded"

// request makes an HTTP request; headers are name and value in turn.
func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func ecsRequest(operation, body string) *http.Request {
	return request("POST", "/", body, "Content-Type", "application/x-amz-json-1.1",
		"X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
}

// read detects and decodes a request.
func read(r *http.Request) (*wire.Request, any, error) {
	body, err := wire.ReadBody(r, wire.DefaultBodyLimit)
	if err != nil {
		return nil, nil, err
	}
	q, err := directory().Detect(r, body)
	if err != nil {
		return q, nil, err
	}
	in, err := q.Decode(r, body)
	return q, in, err
}

func mustRead(t testing.TB, r *http.Request) (*wire.Request, any) {
	t.Helper()
	q, in, err := read(r)
	if err != nil {
		t.Fatal(err)
	}
	return q, in
}

// said is a fault as a client of the protocol reads it.
func said(q *wire.Request, err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Kind.Code(q.Protocol.Family()) + ": " + err.Error()
}
