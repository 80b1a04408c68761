package roads_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// patience bounds every wait: the machine may be busy.
const patience = 100 * time.Second

// eventually asks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	within(t, patience, what, so)
}

func within(t *testing.T, patience time.Duration, what string, so func() bool) {
	t.Helper()
	tick, end := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// cutLast cuts around the last sep.
func cutLast(s, sep string) (before, rest string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// family is a name that a test may use for its things.
func family(t *testing.T) string {
	return strings.NewReplacer("/", "-", "#", "-", " ", "-", "_", "-").Replace(t.Name())
}

// serving is a definition whose container serves at 8080, and after it.
func serving(t *testing.T, name string, launch types.Compatibility) *ecs.RegisterTaskDefinitionInput {
	in := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family(t)), NetworkMode: types.NetworkModeAwsvpc, ExecutionRoleArn: aws.String("ecsTaskExecutionRole"),
		RequiresCompatibilities: []types.Compatibility{launch}, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(probe), Command: []string{"serve", "8080", name}, StopTimeout: aws.Int32(30),
			Cpu: 64, Memory: aws.Int32(128),
			PortMappings: []types.PortMapping{
				{ContainerPort: aws.Int32(8080)}, {ContainerPort: aws.Int32(8081)}, {ContainerPort: aws.Int32(8082), Protocol: types.TransportProtocolUdp},
			},
		}},
	}
	if launch == types.CompatibilityFargate {
		in.Cpu, in.Memory = aws.String("256"), aws.String("512")
	}
	return in
}

func (b *berth) register(t *testing.T, in *ecs.RegisterTaskDefinitionInput) string {
	t.Helper()
	out, err := b.ecs.RegisterTaskDefinition(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// service makes a service, which goes with the test.
func (b *berth) service(t *testing.T, in *ecs.CreateServiceInput) {
	t.Helper()
	if _, err := b.ecs.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := b.ecs.DeleteService(after(t), &ecs.DeleteServiceInput{Service: in.ServiceName, Force: aws.Bool(true)}); err != nil {
			t.Error(err)
			return
		}
		w := ecs.NewServicesInactiveWaiter(b.ecs, func(o *ecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
		if err := w.Wait(after(t), &ecs.DescribeServicesInput{Services: []string{*in.ServiceName}}, patience); err != nil {
			t.Errorf("%s did not end: %v", *in.ServiceName, err)
		}
	})
}

func (b *berth) scale(t *testing.T, service string, to int32) {
	t.Helper()
	if _, err := b.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &service, DesiredCount: &to}); err != nil {
		t.Fatal(err)
	}
}

// stable waits until a service is as it is wanted.
func (b *berth) stable(t *testing.T, service string) {
	t.Helper()
	w := ecs.NewServicesStableWaiter(b.ecs, func(o *ecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	if err := w.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{service}}, 3*patience); err != nil {
		t.Fatalf("%s is not stable: %v\n%s", service, err, b.events(t, service))
	}
}

// events are what was said about a service, the newest first.
func (b *berth) events(t *testing.T, service string) string {
	t.Helper()
	out, err := b.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe %s: %v", service, err)
	}
	var lines strings.Builder
	for _, e := range out.Services[0].Events {
		lines.WriteString(*e.Message + "\n")
	}
	return lines.String()
}

// network puts tasks in the default VPC, in a group.
func (p place) network(group string) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: p.subnets, SecurityGroups: []string{group}}}
}
