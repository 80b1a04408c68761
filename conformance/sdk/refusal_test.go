package sdk

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkcloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	sdkecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	sdkefs "github.com/aws/aws-sdk-go-v2/service/efs"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

func TestRefusalsReachTheClientInEveryProtocol(t *testing.T) {
	m := newMouth(t)
	calls := map[string]func(aws.Config) error{
		"awsJson": func(c aws.Config) error {
			_, err := sdkecs.NewFromConfig(c).ListClusters(t.Context(), nil)
			return err
		},
		"awsQuery": func(c aws.Config) error {
			_, err := sdkiam.NewFromConfig(c).ListRoles(t.Context(), nil)
			return err
		},
		"ec2Query": func(c aws.Config) error {
			_, err := sdkec2.NewFromConfig(c).DescribeVpcs(t.Context(), nil)
			return err
		},
		"restJson": func(c aws.Config) error {
			_, err := sdkefs.NewFromConfig(c).DescribeFileSystems(t.Context(), nil)
			return err
		},
		"cbor": func(c aws.Config) error {
			_, err := sdkcloudwatch.NewFromConfig(c).ListMetrics(t.Context(), nil)
			return err
		},
	}
	for protocol, call := range calls {
		t.Run(protocol, func(t *testing.T) {
			refused := fault.New(fault.AccessDenied, "No <%s> & \"more\".", protocol).WithHint("ask")
			m.answer = func(*wire.Request) any { return refused }
			var api smithy.APIError
			if err := call(m.config()); !errors.As(err, &api) {
				t.Fatalf("the client made of it: %v", err)
			}
			want := refused.Kind.Code(m.got.Protocol.Family())
			if m.got.Service.QueryCompatible {
				want = refused.Kind.Code(fault.Query) // clients keep to the older code
			}
			if api.ErrorCode() != want {
				t.Errorf("code %q, want %q", api.ErrorCode(), want)
			}
			if api.ErrorMessage() != refused.Error() {
				t.Errorf("message %q, want %q", api.ErrorMessage(), refused.Error())
			}
		})
	}
}

func TestModelledRefusalKeepsItsMembers(t *testing.T) {
	m := newMouth(t)
	m.answer = func(*wire.Request) any {
		return fault.New(fault.Conflict, "Taken.").About("arn:1", "arn:2")
	}
	_, err := sdkecs.NewFromConfig(m.config()).UpdateService(t.Context(), &sdkecs.UpdateServiceInput{Service: new("s")})
	var conflict *ecstypes.ConflictException
	if !errors.As(err, &conflict) || !reflect.DeepEqual(conflict.ResourceIds, []string{"arn:1", "arn:2"}) {
		t.Errorf("the client made of it: %#v", err)
	}
}

func TestZerosAndEmptyListsArrive(t *testing.T) {
	m := newMouth(t)
	m.answer = func(*wire.Request) any {
		return &ecs.DescribeServicesResponse{Failures: []ecs.Failure{}, Services: []ecs.Service{{RunningCount: new(int32(0)), Events: []ecs.ServiceEvent{}}}}
	}
	body := bytes.NewBufferString(`{"services":["a"]}`)
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeServices")
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	if got, want := w.Body.String(), `{"services":[{"runningCount":0,"events":[]}],"failures":[]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCompressedBodiesAreRead(t *testing.T) {
	m := newMouth(t)
	m.answer = func(*wire.Request) any { return nil }
	c := m.config()
	c.RequestMinCompressSizeBytes = 1
	var data []cloudwatchtypes.MetricDatum
	for range 100 {
		data = append(data, cloudwatchtypes.MetricDatum{MetricName: aws.String("Use"), Value: aws.Float64(0)})
	}
	if _, err := sdkcloudwatch.NewFromConfig(c).PutMetricData(t.Context(), &sdkcloudwatch.PutMetricDataInput{
		Namespace: aws.String("N"), MetricData: data,
	}); err != nil {
		t.Fatal(err)
	}
	in, ok := m.in.(*cloudwatch.PutMetricDataInput)
	if !ok || len(in.MetricData) != 100 || *in.MetricData[99].Value != 0 {
		t.Errorf("decoded %#v", m.in)
	}
}

// TestCloudWatchSpeaksItsThreeProtocols asks the same in the forms of newer Go
// clients, botocore and older clients.
func TestCloudWatchSpeaksItsThreeProtocols(t *testing.T) {
	m := newMouth(t)
	m.answer = func(*wire.Request) any {
		return &cloudwatch.ListMetricsOutput{Metrics: []cloudwatch.Metric{{Namespace: new("AWS/ECS")}}}
	}
	var z bytes.Buffer
	gz := gzip.NewWriter(&z)
	_, _ = gz.Write([]byte(`{"Namespace":"AWS/ECS"}`))
	_ = gz.Close()
	for _, c := range []struct {
		name, kind, target, encoding, body, want string
	}{
		{"json", "application/x-amz-json-1.0", "GraniteServiceVersion20100801.ListMetrics", "", `{"Namespace":"AWS/ECS"}`, `{"Metrics":[{"Namespace":"AWS/ECS"}]}`},
		{"json, compressed", "application/x-amz-json-1.0", "GraniteServiceVersion20100801.ListMetrics", "gzip", z.String(), `{"Metrics":[{"Namespace":"AWS/ECS"}]}`},
		{"query", "application/x-www-form-urlencoded", "", "", "Action=ListMetrics&Version=2010-08-01&Namespace=AWS%2FECS", "<ListMetricsResult><Metrics><member><Namespace>AWS/ECS</Namespace></member></Metrics></ListMetricsResult>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.kind)
			if c.target != "" {
				r.Header.Set("X-Amz-Target", c.target)
			}
			r.Header.Set("Content-Encoding", c.encoding)
			w := httptest.NewRecorder()
			m.ServeHTTP(w, r)
			if in, ok := m.in.(*cloudwatch.ListMetricsInput); !ok || *in.Namespace != "AWS/ECS" {
				t.Errorf("decoded %#v (%v)", m.in, m.err)
			}
			if !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("answered %s", w.Body)
			}
		})
	}
}
