package roads_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

func role(name string) *string { return aws.String("arn:aws:iam::000000000000:role/" + name) }

// says is the container of a service that answers with a word.
func says(word string) *types.ExpressGatewayContainer {
	return &types.ExpressGatewayContainer{Image: aws.String(probe), Command: []string{"serve", "80", word}}
}

// express makes an Express gateway service of an image and two roles, and gives its ARN.
func (b *berth) express(t *testing.T, name string) string {
	t.Helper()
	out, err := b.ecs.CreateExpressGatewayService(t.Context(), &ecs.CreateExpressGatewayServiceInput{
		ServiceName: &name, ExecutionRoleArn: role("ecsTaskExecutionRole"), InfrastructureRoleArn: role("ecsInfrastructureRoleForExpressServices"),
		PrimaryContainer: says(name + " one"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Service.ServiceArn
}

// shows describes an Express gateway service.
func (b *berth) shows(t *testing.T, arn string) *types.ECSExpressGatewayService {
	t.Helper()
	out, err := b.ecs.DescribeExpressGatewayService(t.Context(), &ecs.DescribeExpressGatewayServiceInput{ServiceArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return out.Service
}

// path is what was made for the way in to a service.
func (b *berth) path(t *testing.T, s *types.ECSExpressGatewayService) types.ManagedIngressPath {
	t.Helper()
	out, err := b.ecs.DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*s.ActiveConfigurations[0].ServiceRevisionArn}})
	if err != nil || len(out.ServiceRevisions) != 1 || out.ServiceRevisions[0].EcsManagedResources == nil {
		t.Fatalf("%v %v", out, err)
	}
	return out.ServiceRevisions[0].EcsManagedResources.IngressPaths[0]
}

// trusting is a client that knows the authority of requested certificates, as
// curl --cacert does.
func (b *berth) trusting(t *testing.T) *http.Client {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Data, "server", "certificates", "authority.crt"))
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(text) {
		t.Fatal("the authority has no certificate")
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: known}}}
}

// heard asks once.
func heard(ctx context.Context, c *http.Client, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return string(body), err
}

// TestExpressServicesHaveURLs makes two services, each with one call: both answer at
// their URLs through one balancer. A new version takes over without a failed request.
// Once they are deleted nothing is left of all that was made.
//
// Proves 2B.5.
func TestExpressServicesHaveURLs(t *testing.T) {
	before := here.inventory(t)
	client := here.trusting(t)
	shop := here.express(t, "shop")
	s := here.shows(t, shop)
	if c := s.ActiveConfigurations; s.Status.StatusCode != types.ExpressGatewayServiceStatusCodeActive || len(c) != 1 || len(c[0].IngressPaths) != 1 {
		t.Fatalf("%+v", s)
	}
	url := "https://" + *s.ActiveConfigurations[0].IngressPaths[0].Endpoint + "/"
	answers := func(url, word string) {
		t.Helper()
		var body string
		var err error
		defer func() {
			if t.Failed() {
				t.Logf("the last answer of %s was %q, %v\n%s", url, body, err, here.events(t, "shop"))
			}
		}()
		eventually(t, url+" to say "+word, func() bool {
			body, err = heard(t.Context(), client, url)
			return err == nil && body == word
		})
	}
	answers(url, "shop one")

	cafe := here.express(t, "cafe")
	other := here.shows(t, cafe)
	answers("https://"+*other.ActiveConfigurations[0].IngressPaths[0].Endpoint+"/", "cafe one")
	first, second := here.path(t, s), here.path(t, other)
	if *first.LoadBalancer.Arn != *second.LoadBalancer.Arn || *first.Listener.Arn != *second.Listener.Arn || *first.Rule.Arn == *second.Rule.Arn {
		t.Errorf("%+v\n%+v", first, second)
	}

	// bake no longer than the test needs
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("shop"), DeploymentConfiguration: &types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(0),
		CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(50), CanaryBakeTimeInMinutes: aws.Int32(0)},
	}}); err != nil {
		t.Fatal(err)
	}
	here.deployed(t, "shop", 1)
	people := crowdAt(t, client, url)
	if _, err := here.ecs.UpdateExpressGatewayService(t.Context(), &ecs.UpdateExpressGatewayServiceInput{
		ServiceArn: &shop, PrimaryContainer: says("shop two"), HealthCheckPath: aws.String("/headers"),
	}); err != nil {
		t.Fatal(err)
	}
	here.deployed(t, "shop", 2)
	people.content(t)
	answers(url, "shop two")
	for n, path := range []string{"/ping", "/headers"} { // each version was checked at its own
		if g := here.path(t, s).TargetGroups[n]; *g.HealthCheckPath != path {
			t.Errorf("target group %d is checked at %s", n, *g.HealthCheckPath)
		}
	}

	for _, arn := range []string{shop, cafe} {
		if _, err := here.ecs.DeleteExpressGatewayService(t.Context(), &ecs.DeleteExpressGatewayServiceInput{ServiceArn: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	var left string
	defer func() {
		if t.Failed() {
			t.Logf("before\n%s\nafter\n%s", before, left)
		}
	}()
	eventually(t, "nothing to be left", func() bool {
		left = here.inventory(t)
		return left == before && here.shows(t, shop).Status.StatusCode == types.ExpressGatewayServiceStatusCodeInactive
	})
}

// crowdAt begins to ask at a URL.
func crowdAt(t *testing.T, client *http.Client, url string) *users {
	ctx, cancel := context.WithCancel(context.Background())
	u := &users{cancel: cancel, asked: map[string]int{}, heard: map[string]int{}}
	for range 4 {
		u.asking.Go(func() {
			for ctx.Err() == nil {
				_, err := heard(ctx, client, url)
				u.count(ctx, "GET", "", err)
			}
		})
	}
	t.Cleanup(func() { cancel(); u.asking.Wait() })
	return u
}

// deployed waits until a service has had so many deployments, and all are done.
func (b *berth) deployed(t *testing.T, service string, want int) {
	t.Helper()
	eventually(t, service+" to be deployed", func() bool {
		out, err := b.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: &service})
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, d := range out.ServiceDeployments {
			if d.Status == types.ServiceDeploymentStatusSuccessful {
				done++
			}
		}
		return done == want && len(out.ServiceDeployments) == want
	})
}

// inventory lists what there is of the kinds that are made for Express gateway services.
func (b *berth) inventory(t *testing.T) string {
	t.Helper()
	var all []string
	balancers, err := b.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lb := range balancers.LoadBalancers {
		all = append(all, *lb.LoadBalancerArn)
	}
	groups, err := b.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.TargetGroups {
		all = append(all, *g.TargetGroupArn)
	}
	walls, err := b.ec2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("tag-key"), Values: []string{"AmazonECSManaged"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range walls.SecurityGroups {
		all = append(all, *g.GroupId+" "+*g.GroupName)
	}
	certificates, err := acm.NewFromConfig(b.config()).ListCertificates(t.Context(), &acm.ListCertificatesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range certificates.CertificateSummaryList {
		all = append(all, *c.DomainName)
	}
	return strings.Join(all, "\n")
}
