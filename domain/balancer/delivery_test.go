package balancer

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/bucket"
)

func TestLogsAreNamedAsAWSNamesThem(t *testing.T) {
	b := &Balancer{Scope: arn.Scope{Account: "123456789012", Region: "us-east-2"}, ARN: "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/my-lb/1234567890abcdef"}
	l := &Lines{Address: "172.160.001.192", Until: time.Date(2022, 2, 15, 23, 40, 0, 0, time.UTC), Name: "20sg8hgm"}
	want := "logging/AWSLogs/123456789012/elasticloadbalancing/us-east-2/2022/02/15/123456789012_elasticloadbalancing_us-east-2_app.my-lb.1234567890abcdef_20220215T2340Z_172.160.001.192_20sg8hgm.log.gz"
	if got := LogKey(b, "logging", l); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	l.Log = ConnectionLog
	want = "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2022/02/15/conn_log.123456789012_elasticloadbalancing_us-east-2_app.my-lb.1234567890abcdef_20220215T2340Z_172.160.001.192_20sg8hgm.log.gz"
	if got := LogKey(b, "", l); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	b.Kind, b.ARN, l.Log = Network, "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/net/my-lb/1234567890abcdef", AccessLog
	want = "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2022/02/15/123456789012_elasticloadbalancing_us-east-2_net.my-lb.1234567890abcdef_20220215T2340Z_20sg8hgm.log.gz"
	if got := LogKey(b, "", l); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhichLogsAreAskedFor(t *testing.T) {
	b := &Balancer{Kind: Application}
	said := []Value{{ConnectionLogs, "true"}, {ConnectionBucket, "logs"}, {ConnectionPrefix, "p"}}
	b.Attributes, _ = b.SetAttributes(said)
	got := b.Asked(said)
	if len(got) != 1 || got[0] != (Delivery{ConnectionLog, "logs", "p"}) || got[0].TestKey("123456789012") != "p/AWSLogs/123456789012/ELBConnectionLogTestFile" {
		t.Errorf("got %+v", got)
	}
	other := []Value{{IdleTimeout, "61"}}
	if got := b.Asked(other); got != nil {
		t.Errorf("without a word of logs: %+v", got)
	}
	said = []Value{{AccessLogsBucket, "logs"}}
	b.Attributes, _ = b.SetAttributes(said)
	if got := b.Asked(said); got != nil {
		t.Errorf("a log that is not kept: %+v", got)
	}
}

func TestBucketsSayWhoDelivers(t *testing.T) {
	scope := arn.Scope{Account: "123456789012", Region: "us-east-1"}
	const key = "p/AWSLogs/123456789012/x"
	for _, c := range []struct {
		policy string
		want   bool
	}{
		{``, false},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/p/AWSLogs/123456789012/*"}]}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/q/*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::127311923021:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"123456789012"}}}]}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"},{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`, false},
	} {
		if got := MayDeliver(&bucket.Bucket{Name: "logs", Scope: scope, Policy: c.policy}, scope, key); got != c.want {
			t.Errorf("%v for %s", got, fmt.Sprintf("%.300s", c.policy))
		}
	}
}
