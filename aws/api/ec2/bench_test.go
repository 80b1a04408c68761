package ec2_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// BenchmarkSignedDescribe is a signed request over one kept connection: all the
// CPU of server and kernel, and of a client that does little. The budget is
// 300 µs for the server.
func BenchmarkSignedDescribe(b *testing.B) {
	s := gatewaytest.Start(b, func(st store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()}}
	}, func(o *gateway.Options) { o.Audit = o.Log })
	s.Furnish(b)
	text := signedRequest(b, s)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	before := cpu()
	for b.Loop() {
		if _, err := c.Write(text); err != nil {
			b.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil || n == 0 || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status, n, err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func signedRequest(b *testing.B, s *gatewaytest.Server) []byte {
	body := "Action=DescribeSubnets&Version=2016-11-15"
	r, err := http.NewRequest("POST", s.URL+"/", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: s.Root.ID, Secret: s.Root.Secret}, "ec2", gatewaytest.Scope.Region, time.Now()); err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		b.Fatal(err)
	}
	return text.Bytes()
}

// cpu is what this process used so far, kernel included.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for RUSAGE_SELF
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
