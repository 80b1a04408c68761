package life_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// role makes a role that a service may become, unless it is there, and lets it do
// the actions. It returns the role's ARN.
func (b *berth) role(t *testing.T, name, service string, actions ...string) string {
	t.Helper()
	client := iam.NewFromConfig(b.config())
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName:                 &name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`),
	})
	if exists := new(iamtypes.EntityAlreadyExistsException); err != nil && !errors.As(err, &exists) {
		t.Fatal(err)
	}
	if len(actions) > 0 {
		if _, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String("may"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return "arn:aws:iam::000000000000:role/" + name
}

// everywhere are the ways in which a task finds us.
var everywhere = map[string]func(...types.ContainerDefinition) *definition{"bridge": onEC2, "host": onHost, "awsvpc": privately, "Fargate": onFargate}

func onHost(containers ...types.ContainerDefinition) *definition {
	d := onEC2(containers...)
	d.NetworkMode = types.NetworkModeHost
	return d
}

// TestTasksAreTheirRoles has AWS's Go client in a task call us, with nothing but
// what the task finds around it.
//
// Proves 3B.1.
func TestTasksAreTheirRoles(t *testing.T) {
	t.Parallel()
	for name, on := range everywhere {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := on(container("app", probe, "whoami"))
			d.TaskRoleArn = aws.String("role-of-" + name)
			arn := here.run(t, d)
			end := here.stopped(t, arn)
			want := "arn:aws:sts::000000000000:assumed-role/role-of-" + name + "/" + id(arn)
			if got := here.output(t, arn, "app"); got != want {
				t.Errorf("%q, want %s; %s", got, want, summary(end))
			}
		})
	}
}

func TestATaskWithoutARoleIsNobody(t *testing.T) {
	t.Parallel()
	got := here.prints(t, onEC2(sh("app", "echo ${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI:-none} ${AWS_ENDPOINT_URL:-none}")))
	if !strings.HasPrefix(got, "none http://169.254.") {
		t.Errorf("%q", got)
	}
}

func TestTheEndpointMayBeTheTasksOwn(t *testing.T) {
	t.Parallel()
	c := sh("app", "echo $AWS_ENDPOINT_URL")
	c.Environment = []types.KeyValuePair{pair("AWS_ENDPOINT_URL", "http://elsewhere")}
	if got := here.prints(t, onEC2(c)); got != "http://elsewhere" {
		t.Errorf("%q", got)
	}
}

// TestCredentialsAreATasksOwn has a task ask for another's, whose id it was told.
// Tasks on the host's own network are known by the id alone, which nobody tells.
//
// Proves 3B.2.
func TestCredentialsAreATasksOwn(t *testing.T) {
	t.Parallel()
	for name, on := range everywhere {
		if name == "host" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner := on(sh("app", "echo id=$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; exec sleep 1000"))
			owner.TaskRoleArn = aws.String("owner")
			arn := here.run(t, owner)
			here.printed(t, arn, "app", "id=/v2/credentials/")
			_, uri, _ := strings.Cut(here.output(t, arn, "app"), "id=")

			thief := on(sh("app", "wget -q -O - http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI | grep -o role/thief; wget -O - http://169.254.170.2"+strings.TrimSpace(uri)+" 2>&1 && echo stolen; exit 0"))
			thief.TaskRoleArn = aws.String("thief")
			got := here.prints(t, thief)
			if !strings.HasPrefix(got, "role/thief") || strings.Contains(got, "stolen") || strings.Contains(got, "SecretAccessKey") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	for name, on := range everywhere {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// stats come first: they are waited for, and the task is RUNNING by then
			d := on(container("app", probe, "get", "${ECS_CONTAINER_METADATA_URI_V4}/stats", "${ECS_CONTAINER_METADATA_URI_V4}/task/stats", "${ECS_CONTAINER_METADATA_URI_V4}", "${ECS_CONTAINER_METADATA_URI_V4}/task", "${ECS_CONTAINER_METADATA_URI}"))
			arn := here.run(t, d)
			here.stopped(t, arn)
			lines := strings.Split(here.output(t, arn, "app"), "\n")
			if len(lines) != 5 {
				t.Fatalf("%q", lines)
			}
			launch := "EC2"
			if name == "Fargate" {
				launch = "FARGATE"
			}
			for i, words := range [][]string{
				{`"cpu_stats"`, `"total_usage"`, `"memory_stats"`},
				{`"cpu_stats"`},
				{`"Name":"app"`, `"Image":"probe:1"`, `"KnownStatus":"RUNNING"`},
				{`"TaskARN":"` + arn + `"`, `"Family":"` + *d.Family + `"`, `"Revision":"1"`, `"LaunchType":"` + launch + `"`, `"Containers":[`},
				{`"Name":"app"`},
			} {
				says(t, lines[i], words...)
			}
		})
	}
}
