package classic_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// set changes attributes of the balancer.
func (p *pier) set(t *testing.T, a types.LoadBalancerAttributes) {
	t.Helper()
	done[*elb.ModifyLoadBalancerAttributesOutput](t)(p.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerName: &p.name, LoadBalancerAttributes: &a,
	}))
}

// bucket makes one that takes logs of balancers.
func (h *harbor) bucket(t *testing.T, name string) {
	t.Helper()
	done[*s3.CreateBucketOutput](t)(h.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))
	done[*s3.PutBucketPolicyOutput](t)(h.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: new(`{"Version":"2012-10-17","Statement":[{
		"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + name + `/*"}]}`)}))
}

// logs are the bucket's objects, by key.
func (h *harbor) logs(t *testing.T, bucket string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range done[*s3.ListObjectsV2Output](t)(h.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})).Contents {
		out := done[*s3.GetObjectOutput](t)(h.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key}))
		text, err := io.ReadAll(out.Body)
		if err != nil {
			t.Fatal(err)
		}
		all[*o.Key] = string(text)
	}
	return all
}

// succeed has another edge take over, so that the one before ends.
func (h *harbor) succeed(t *testing.T) {
	t.Helper()
	pid := func() (pid int) {
		text, err := os.ReadFile(filepath.Join(h.Data, "run", "edge.pid"))
		if err == nil {
			_, err = fmt.Sscan(string(text), &pid)
		}
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	before := pid()
	if err := syscall.Kill(before, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another edge", func() bool { return pid() != before })
}

// TestLogsAndMetricsOfAClassicBalancer finds requests and connections in the bucket, in
// AWS's first format, and in CloudWatch under the names of AWS/ELB.
//
// Proves 4C.1.
func TestLogsAndMetricsOfAClassicBalancer(t *testing.T) {
	p := newPier(t)
	p.bucket(t, "logs-of-a-classic-balancer")
	p.set(t, types.LoadBalancerAttributes{AccessLog: &types.AccessLog{Enabled: true, S3BucketName: new("logs-of-a-classic-balancer"), S3BucketPrefix: new("p"), EmitInterval: new(int32(5))}})
	p.serve(t)
	p.fit(t)
	get(t, p.client(t), "http://"+p.node+"/shop?a=b")
	if answer, err := say(done[net.Conn](t)(net.Dial("tcp", p.node+":81")), "you"); answer != "hello you" {
		t.Errorf("over TCP %q, %v", answer, err)
	}
	if answer, err := say(done[*tls.Conn](t)(tls.Dial("tcp", p.node+":444", trusting())), "you"); answer != "hello you" {
		t.Errorf("over SSL %q, %v", answer, err)
	}
	p.succeed(t) // who ends delivers what there is
	head := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ` + p.name + ` [0-9.]+:\d+ [0-9.]+:%d \d\.\d{6} \d\.\d{6} \d\.\d{6} `
	lines := []string{
		fmt.Sprintf(head, p.ports) + `200 200 0 5 "GET http://` + regexp.QuoteMeta(p.node) + `:80/shop\?a=b HTTP/1\.1" "Go-http-client/1\.1" - -`,
		fmt.Sprintf(head, p.ports+1) + `- - 4 10 "- - - " "-" - -`,
		fmt.Sprintf(head, p.ports+2) + `- - 4 10 "- - - " "-" ECDHE-(RSA|ECDSA)-[A-Z0-9-]+ TLSv1\.2`,
	}
	key := regexp.MustCompile(`^p/AWSLogs/000000000000/elasticloadbalancing/us-east-1/\d{4}/\d\d/\d\d/000000000000_elasticloadbalancing_us-east-1_` + p.name + `_\d{8}T\d{4}Z_[0-9.]+_[A-Z0-9]+\.log$`)
	eventually(t, "the log in the bucket", func() bool {
		text := ""
		for name, part := range p.logs(t, "logs-of-a-classic-balancer") {
			if name == "p/AWSLogs/000000000000/ELBAccessLogTestFile" {
				continue
			}
			if !key.MatchString(name) {
				t.Fatalf("a log is called %s", name)
			}
			text += part
		}
		for _, line := range lines {
			if !regexp.MustCompile("(?m)^" + line + "$").MatchString(text) {
				t.Logf("no %s in\n%s", line, text)
				return false
			}
		}
		return true
	})
	for metric, statistic := range map[string]cwtypes.Statistic{
		"RequestCount": cwtypes.StatisticSum, "Latency": cwtypes.StatisticAverage, "HTTPCode_Backend_2XX": cwtypes.StatisticSum, "HealthyHostCount": cwtypes.StatisticMaximum,
	} {
		eventually(t, metric, func() bool {
			out := done[*cloudwatch.GetMetricStatisticsOutput](t)(p.metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
				Namespace: new("AWS/ELB"), MetricName: &metric, Statistics: []cwtypes.Statistic{statistic}, Period: new(int32(3600)),
				StartTime: new(time.Now().Add(-time.Hour)), EndTime: new(time.Now().Add(time.Hour)),
				Dimensions: []cwtypes.Dimension{{Name: new("LoadBalancerName"), Value: &p.name}},
			}))
			for _, d := range out.Datapoints {
				for _, v := range []*float64{d.Sum, d.Average, d.Maximum} {
					if v != nil && *v > 0 {
						return true
					}
				}
			}
			return false
		})
	}
}

// TestDrainingOfAClassicBalancer deregisters the instance while connections are open:
// with draining they go on until they end or the time is over, without it they are cut.
//
// Proves 4C.1.
func TestDrainingOfAClassicBalancer(t *testing.T) {
	p := newPier(t)
	p.serve(t)
	p.fit(t)
	instance := *done[*elb.DescribeInstanceHealthOutput](t)(p.elb.DescribeInstanceHealth(t.Context(), &elb.DescribeInstanceHealthInput{LoadBalancerName: &p.name})).InstanceStates[0].InstanceId
	open := func() net.Conn {
		c := done[net.Conn](t)(net.Dial("tcp", p.node+":81"))
		t.Cleanup(func() { c.Close() })
		heard(t, c)
		return c
	}
	which := []types.Instance{{InstanceId: &instance}}
	leave := func() {
		done[*elb.DeregisterInstancesFromLoadBalancerOutput](t)(p.elb.DeregisterInstancesFromLoadBalancer(t.Context(), &elb.DeregisterInstancesFromLoadBalancerInput{LoadBalancerName: &p.name, Instances: which}))
	}
	p.set(t, types.LoadBalancerAttributes{ConnectionDraining: &types.ConnectionDraining{Enabled: true, Timeout: new(int32(5))}})
	begun := open()
	leave()
	equal(t, "while it drains", p.health(t), "InService N/A Instance deregistration currently in progress.")
	eventually(t, "the listener to take nothing new", func() bool { return !takes(p.node + ":81") })
	heard(t, begun)
	cut(t, begun)
	eventually(t, "the instance to be gone", func() bool { return p.health(t) == "" })

	done[*elb.RegisterInstancesWithLoadBalancerOutput](t)(p.elb.RegisterInstancesWithLoadBalancer(t.Context(), &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: &p.name, Instances: which}))
	p.fit(t)
	p.set(t, types.LoadBalancerAttributes{ConnectionDraining: &types.ConnectionDraining{Enabled: false}})
	eventually(t, "the instance to be reached again", func() bool { return takes(p.node + ":81") })
	begun = open()
	leave()
	cut(t, begun)
	equal(t, "at once", p.health(t), "")
}

// takes tells whether a line is answered on a new connection.
func takes(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	answer, err := say(c, "you")
	return err == nil && answer == "hello you"
}

// heard says a line on a connection and holds that it is answered.
func heard(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	buffer := make([]byte, 100)
	if _, err := fmt.Fprintln(c, "you"); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(buffer); string(buffer[:n]) != "hello you\n" {
		t.Fatalf("heard %q, %v", buffer[:n], err)
	}
}

// cut waits until a connection is reset.
func cut(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection ended with %v", err)
	}
}
