package life_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// privateService is a service "web" of a private namespace of the default VPC.
func privateService(t *testing.T, c *servicediscovery.Client, vpc, namespace string) *string {
	t.Helper()
	made, err := c.CreatePrivateDnsNamespace(t.Context(), &servicediscovery.CreatePrivateDnsNamespaceInput{Name: &namespace, Vpc: &vpc})
	if err != nil {
		t.Fatal(err)
	}
	done, err := c.GetOperation(t.Context(), &servicediscovery.GetOperationInput{OperationId: made.OperationId})
	if err != nil || done.Operation.Status != sdtypes.OperationStatusSuccess {
		t.Fatal(shown(done), err)
	}
	service, err := c.CreateService(t.Context(), &servicediscovery.CreateServiceInput{
		Name: aws.String("web"), NamespaceId: aws.String(done.Operation.Targets["NAMESPACE"]),
		DnsConfig: &sdtypes.DnsConfig{DnsRecords: []sdtypes.DnsRecord{{Type: sdtypes.RecordTypeA, TTL: aws.Int64(1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return service.Service.Id
}

// Tasks with an interface of their own and those of the bridge resolve the names of
// Cloud Map, and see them change within moments.
func TestTasksResolveNamesOfCloudMap(t *testing.T) {
	t.Parallel()
	c := servicediscovery.NewFromConfig(here.config())
	vpcs, err := ec2.NewFromConfig(here.config()).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}})
	if err != nil || len(vpcs.Vpcs) != 1 {
		t.Fatal(shown(vpcs), err)
	}
	service := privateService(t, c, *vpcs.Vpcs[0].VpcId, "names.test")
	script := `last=; while :; do now=$(nslookup -type=a web.names.test 2>&1 | grep -o -e '10\.9\.8\.[0-9]*' -e NXDOMAIN | head -n 1); [ "$now" = "$last" ] || echo "now $now at $(date +%s)"; last=$now; usleep 20000; done`
	own := onEC2(sh("asks", script))
	own.NetworkMode = types.NetworkModeAwsvpc
	own.Family = aws.String("names-own")
	bridged := onEC2(sh("asks", script))
	bridged.Family = aws.String("names-bridge")
	tasks := []string{here.run(t, own), here.run(t, bridged)}
	for _, task := range tasks {
		here.printed(t, task, "asks", "now NXDOMAIN")
	}
	for _, address := range []string{"10.9.8.7", "10.9.8.6"} {
		start := time.Now()
		_, err := c.RegisterInstance(t.Context(), &servicediscovery.RegisterInstanceInput{ServiceId: service, InstanceId: aws.String("one"), Attributes: map[string]string{"AWS_INSTANCE_IPV4": address}})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			here.printed(t, task, "asks", "now "+address)
		}
		t.Logf("%s was printed after %v", address, time.Since(start))
	}
	if _, err := c.DeregisterInstance(t.Context(), &servicediscovery.DeregisterInstanceInput{ServiceId: service, InstanceId: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		eventually(t, "the name to go", func() bool { return strings.Count(here.output(t, task, "asks"), "now NXDOMAIN") == 2 })
	}
}
