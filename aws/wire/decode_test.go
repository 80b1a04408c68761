package wire_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/efs"
	"github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

func TestWrongTypesAreSerializationFaults(t *testing.T) {
	for _, c := range []struct{ operation, body, message string }{
		{"RunTask", `{"count":"2"}`, "STRING_VALUE can not be converted to an Integer"},
		{"RunTask", `{"count":1.5}`, "NUMBER_VALUE 1.5 can not be converted to an Integer"},
		{"RunTask", `{"count":2147483648}`, "NUMBER_VALUE 2147483648 can not be converted to an Integer"},
		{"RunTask", `{"cluster":7}`, "NUMBER_VALUE can not be converted to a String"},
		{"RunTask", `{"tags":{}}`, "START_OBJECT can not be converted to a List"},
		{"RunTask", `{"overrides":[]}`, "START_ARRAY can not be converted to a Structure"},
		{"RunTask", `{"enableExecuteCommand":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{"RunTask", `{"tags":[null]}`, "NULL_VALUE can not be converted to a Structure"},
		{"SubmitTaskStateChange", `{"pullStartedAt":"x"}`, `"x" can not be converted to a Timestamp`},
		{"RunTask", `[]`, "START_ARRAY can not be converted to a Structure"},
		{"RunTask", `{"cluster":"a"`, "Unexpected end of the JSON text"},
		{"RunTask", `{"cluster":"a"} x`, "Unexpected character ('x') at byte 16 of the JSON text"},
		{"RunTask", `{"cluster":"a",}`, "Unexpected character ('}') at byte 15 of the JSON text"},
		{"RunTask", "{\"cluster\":\"a\nb\"}", `Unexpected character ('\n') at byte 13 of the JSON text`},
		{"RunTask", `{"x":` + strings.Repeat("[", 1000), "The JSON text is nested too deeply"},
	} {
		_, _, err := read(ecsRequest(c.operation, c.body))
		if !fault.IsKind(err, fault.Serialization) || err.Error() != c.message {
			t.Errorf("%.40s: %v", c.body, err)
		}
	}
}

func TestLenienceOfAWS(t *testing.T) {
	_, in := mustRead(t, ecsRequest("RunTask", ` { "unknown" : [{"a":[1,{}]}, "\u00e9"], "cluster":"a", "cluster":"b\u00e9\ud83d\udea2\ud83d", "count":2e0, "taskDefinition":null, "tags":[], "launchType":"EC2" } `))
	got := in.(*ecs.RunTaskRequest)
	switch {
	case *got.Cluster != "bé🚢\ufffd":
		t.Errorf("cluster %q", *got.Cluster)
	case *got.Count != 2 || got.TaskDefinition != nil || got.Tags == nil || len(got.Tags) != 0 || got.LaunchType != ecs.LaunchTypeEc2:
		t.Errorf("got %+v", got)
	}
	if _, in := mustRead(t, ecsRequest("ListClusters", "")); in == nil {
		t.Error("an empty body is an empty request")
	}
}

func TestQueryListsInOrderWhateverTheirNumbers(t *testing.T) {
	body := "Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.10=c&Names.member.2=b&Names.member.1=a&LoadBalancerArns="
	_, in := mustRead(t, request("POST", "/", body, "Content-Type", formType))
	got := in.(*elbv2.DescribeLoadBalancersInput)
	if fmt.Sprint(got.Names) != "[a b c]" || got.LoadBalancerArns == nil || len(got.LoadBalancerArns) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestQueryRefusesWhatItCannotRead(t *testing.T) {
	for _, body := range []string{
		"Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=many",
		"Action=DescribeLoadBalancers&Version=2015-12-01&Marker=%zz",
		"Action=DescribeLoadBalancers&Version=2015-12-01&" + strings.Repeat("a.", 500) + "b=1",
	} {
		if _, _, err := read(request("POST", "/", body, "Content-Type", formType)); !fault.IsKind(err, fault.Serialization) {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestRESTReadsPathQueryAndBody(t *testing.T) {
	_, in := mustRead(t, request("PUT", "/2015-02-01/file-systems/fs-1%2F2/policy", `{"Policy":"{}","FileSystemId":"other"}`, signedFor("elasticfilesystem")...))
	if got := in.(*efs.PutFileSystemPolicyRequest); *got.FileSystemId != "fs-1/2" || *got.Policy != "{}" {
		t.Errorf("got %+v", got)
	}
	_, in = mustRead(t, request("DELETE", "/2015-02-01/resource-tags/fs-1?tagKeys=a&tagKeys=b", "", signedFor("elasticfilesystem")...))
	if got := in.(*efs.UntagResourceRequest); fmt.Sprint(got.TagKeys) != "[a b]" {
		t.Errorf("got %+v", got)
	}
}

func compressed(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBodiesHaveBounds(t *testing.T) {
	r := ecsRequest("RunTask", strings.Repeat(" ", 101))
	if _, err := wire.ReadBody(r, 100); !fault.IsKind(err, fault.RequestTooLarge) {
		t.Errorf("101 bytes of 100: %v", err)
	}
	r = ecsRequest("RunTask", strings.Repeat(" ", 101))
	r.ContentLength = -1
	if _, err := wire.ReadBody(r, 100); !fault.IsKind(err, fault.RequestTooLarge) {
		t.Errorf("101 bytes of 100 without a length: %v", err)
	}
	bomb := ecsRequest("RunTask", string(compressed(t, make([]byte, 65<<20))))
	bomb.Header.Set("Content-Encoding", "gzip")
	if _, _, err := read(bomb); !fault.IsKind(err, fault.RequestTooLarge) {
		t.Errorf("a gzip bomb: %v", err)
	}
	damaged := ecsRequest("RunTask", string(compressed(t, []byte("{}"))[:15]))
	damaged.Header.Set("Content-Encoding", "gzip")
	if _, _, err := read(damaged); !fault.IsKind(err, fault.Serialization) {
		t.Errorf("half a gzip body: %v", err)
	}
	strange := ecsRequest("RunTask", "{}")
	strange.Header.Set("Content-Encoding", "br")
	if _, _, err := read(strange); !fault.IsKind(err, fault.Serialization) {
		t.Errorf("an unknown encoding: %v", err)
	}
}
