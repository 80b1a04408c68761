package access_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// BenchmarkAuthorise is a call of a role with ten managed policies of some size, the
// last of which allows it. Its budget is 30 µs.
func BenchmarkAuthorise(b *testing.B) {
	st := memory.Open()
	role := &identity.Role{Account: account, Name: "worker", ID: "AROAONE", ARN: iam + "role/worker"}
	_, err := st.Update(context.Background(), func(tx *store.Tx) error {
		for n := range 10 {
			document := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statements(n), 8) + statements(n) + `]}`
			document = strings.Replace(document, `,]`, `]`, 1)
			if n == 9 {
				document = allowIf(`{"ArnEquals":{"ecs:cluster":"` + cluster + `"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)
			}
			p := &identity.ManagedPolicy{ARN: fmt.Sprint(iam, "policy/p", n), Default: "v1", Versions: []identity.PolicyVersion{{ID: "v1", Document: document}}}
			store.ManagedPolicies.Put(tx, p)
			role.Grants.Attached = append(role.Grants.Attached, p.ARN)
		}
		store.Roles.Put(tx, role)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	a := access.New(access.Config{Store: st})
	call := &gateway.Call{Service: "ecs", Principal: identity.SessionOf(role, "s"), Session: true, Now: time.Now(), Source: netip.MustParseAddr("10.0.0.7")}
	need := gateway.Need{
		Action: "ecs:RunTask", Resources: []string{"arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1"}, Keys: map[string][]string{"ecs:cluster": {cluster}},
	}
	b.ReportAllocs()
	perCall := cpu(b)
	for b.Loop() {
		if err := a.Authorise(context.Background(), call, need); err != nil {
			b.Fatal(err)
		}
	}
	perCall()
}

// cpu reports, when called, the CPU time of an operation, the collector's included:
// what a busy machine does not change.
func cpu(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Nanoseconds())/1000/float64(b.N), "us-CPU") }
}

func statements(n int) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":["s3:GetObject%d","ecs:Describe*","logs:*"],"Resource":["arn:aws:s3:::bucket-%d/*","arn:aws:logs:*:*:log-group:x-%d:*"]},`, n, n, n)
}
