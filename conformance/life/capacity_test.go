package life_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// sized is a task of a size that does nothing.
func sized(cpu, memory string) *definition {
	c := patient("app")
	c.Memory = nil
	d := onEC2(c)
	d.Cpu, d.Memory = &cpu, &memory
	return d
}

// refused runs a task for which there is no room.
func (b *berth) refused(t *testing.T, d *definition) types.Failure {
	t.Helper()
	in := b.place(t, d)
	in.TaskDefinition = aws.String(b.register(t, d))
	out, err := b.ecs.RunTask(t.Context(), in)
	if err != nil || len(out.Tasks) != 0 || len(out.Failures) != 1 {
		t.Fatalf("%s %v", shown(out), err)
	}
	return out.Failures[0]
}

// TestNoMoreThanTheMachineHas fills a machine of one processor and 1024 MiB.
func TestNoMoreThanTheMachineHas(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024")

	large := b.run(t, sized("256", "700"))
	fargate := b.run(t, onFargate(patient("app"))) // takes from the same ledger, and waits
	for what, c := range map[string]struct {
		d      *definition
		reason string
		words  []string
	}{
		"memory": {sized("256", "400"), "RESOURCE:MEMORY", []string{"400", "324"}},
		"cpu":    {sized("1024", "100"), "RESOURCE:CPU", []string{"1024", "768"}},
	} {
		f := b.refused(t, c.d)
		if aws.ToString(f.Reason) != c.reason || !strings.Contains(aws.ToString(f.Arn), ":container-instance/default/") {
			t.Errorf("%s: %s", what, shown(f))
		}
		says(t, aws.ToString(f.Detail), c.words...)
	}

	b.running(t, large)
	if got := aws.ToString(b.describe(t, fargate).LastStatus); got != "PROVISIONING" {
		t.Errorf("a Fargate task for which there is no room is %s", got)
	}
	b.stopTask(t, large)
	b.running(t, fargate)
	b.refused(t, sized("256", "600"))
	b.running(t, b.run(t, sized("256", "400")))
}

func TestPortsAreTakenOnce(t *testing.T) {
	t.Parallel()
	d := onEC2(server("app"))
	d.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(freePort(t))
	first := here.run(t, d)
	again := onEC2(server("app"))
	again.ContainerDefinitions[0].PortMappings = d.ContainerDefinitions[0].PortMappings
	f := here.refused(t, again)
	if aws.ToString(f.Reason) != "RESOURCE:PORTS" {
		t.Error(shown(f))
	}
	says(t, aws.ToString(f.Detail), "PORTS", fmt.Sprint(*d.ContainerDefinitions[0].PortMappings[0].HostPort))
	here.stopTask(t, first)
	here.run(t, again)
}

func TestManyAtOnceNeverExceedTheMachine(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024")
	d := sized("128", "300")
	arn := b.register(t, d)
	type answer struct {
		out *ecs.RunTaskOutput
		err error
	}
	answers := make(chan answer)
	for range 8 {
		go func() {
			out, err := b.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &arn, LaunchType: types.LaunchTypeEc2})
			answers <- answer{out, err}
		}()
	}
	placed := 0
	for range 8 {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		placed += len(a.out.Tasks)
	}
	if placed != 3 {
		t.Errorf("%d tasks of 300 MiB on 1024", placed)
	}
}
