package identity_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// printed is what a command of berth prints.
func (b *berth) printed(t *testing.T, words ...string) []byte {
	t.Helper()
	out, err := b.Command(t.Context(), words...).Output()
	if err != nil {
		t.Fatalf("berth %q: %v: %s", words, err, out)
	}
	return out
}

// asked reads what a command of berth prints as JSON.
func asked[T any](t *testing.T, b *berth, words ...string) (out T) {
	t.Helper()
	if err := json.Unmarshal(b.printed(t, append(words, "--output", "json")...), &out); err != nil {
		t.Fatalf("berth %q: %v", words, err)
	}
	return out
}

// TestThePolicySuggestedIsEnough has a role that may everything of two services do a
// little of both, gives it what `berth iam suggest` writes instead, and has it do the
// same again, and more.
func TestThePolicySuggestedIsEnough(t *testing.T) {
	t.Parallel()
	bucket := "suggested-policy"
	here.bucketWith(t, bucket, "model.bin", "weights")
	here.bucketWith(t, bucket+"-other", "model.bin", "others")
	role := here.role(t, "worker", allow("s3:* dynamodb:*", "*"))
	steps := "object " + bucket + " model.bin , put " + table + " suggested"
	first := here.run(t, onEC2(steps).as(role))
	here.told(t, first, "object", "weights")
	here.told(t, first, "put", "written")

	here.replace(t, role, string(here.printed(t, "iam", "suggest", role)))
	second := here.run(t, onFargate(steps+" , object "+bucket+"-other model.bin").as(role))
	here.told(t, second, "put", "written")
	here.told(t, second, "object", "weights")
	here.told(t, second, "object", "error: AccessDenied: "+denial(role, second, "s3:GetObject", "arn:aws:s3:::"+bucket+"-other/model.bin"))
}

// replace makes a text all that a role may.
func (b *berth) replace(t *testing.T, role, document string) {
	t.Helper()
	in := &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("may"), PolicyDocument: &document}
	if _, err := b.iam.PutRolePolicy(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNeverUsedIsListed compares what a role may with what it did.
//
// Proves 3A.6.
func TestWhatIsNeverUsedIsListed(t *testing.T) {
	t.Parallel()
	here.bucketWith(t, "never-used", "model.bin", "weights")
	role := here.role(t, "worker", allow("s3:GetObject s3:DeleteObject", "*"))
	task := here.run(t, onEC2("object never-used model.bin").as(role))
	here.told(t, task, "object", "weights")

	type idle struct{ Policy, Pattern string }
	unused := asked[[]idle](t, here, "iam", "unused", role)
	if !slices.Equal(unused, []idle{{"may", "s3:DeleteObject"}}) {
		t.Errorf("of the task's role: %v", unused)
	}
	unused = asked[[]idle](t, here, "iam", "unused", "ecsInstanceRole")
	const managed = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
	if !slices.Contains(unused, idle{managed, "ec2:DescribeTags"}) || slices.Contains(unused, idle{managed, "ecs:Poll"}) {
		t.Errorf("of the machine's role: %v", unused)
	}
}

// TestATrialRefusesNothing tries a tighter policy on a role.
func TestATrialRefusesNothing(t *testing.T) {
	t.Parallel()
	here.bucketWith(t, "on-trial", "model.bin", "weights")
	role := here.role(t, "worker", allow("s3:*", "*"))
	tight := filepath.Join(t.TempDir(), "tight.json")
	if err := os.WriteFile(tight, []byte(*policy(allow("s3:ListBucket", "*"))), 0o600); err != nil {
		t.Fatal(err)
	}
	here.printed(t, "iam", "try", role, "--policy", tight)
	task := here.run(t, onEC2("object on-trial model.bin").as(role))
	here.told(t, task, "object", "weights")

	type use struct {
		Action, Resource string
		Denied           int
	}
	trial := asked[struct{ Refused []use }](t, here, "iam", "trial", role)
	if !slices.Equal(trial.Refused, []use{{"s3:GetObject", "arn:aws:s3:::on-trial/model.bin", 1}}) {
		t.Errorf("the trial would have refused %v", trial.Refused)
	}
	here.printed(t, "iam", "try", role, "--end")
	out, err := here.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	if err != nil || len(out.Role.Tags) != 0 || out.Role.RoleLastUsed == nil || out.Role.RoleLastUsed.LastUsedDate == nil {
		t.Errorf("after the trial the role is %+v, %v", out.Role, err)
	}
}

// TestTheAuditFindsWhatToMend has families share a role, a password in plain sight and
// the powers of the host.
//
// Proves 3B.4, 8.2.
func TestTheAuditFindsWhatToMend(t *testing.T) {
	t.Parallel()
	role := here.role(t, "shared", allow("*", "*"))
	plain, host := onEC2("whoami").as(role), onEC2("whoami").as(role)
	plain.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("DB_PASSWORD"), Value: aws.String("hunter2")}}
	host.ContainerDefinitions[0].Privileged = aws.Bool(true)
	host.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)}}
	families := []string{nameOf(t, "plain"), nameOf(t, "host")}
	for i, d := range []*definition{plain, host} {
		d.Family = &families[i]
		if _, err := here.ecs.RegisterTaskDefinition(t.Context(), &d.RegisterTaskDefinitionInput); err != nil {
			t.Fatal(err)
		}
	}
	type finding struct{ Rule, Severity, Subject string }
	report := asked[struct {
		Findings []finding
		Grades   []struct{ Area, Grade string }
	}](t, here, "audit")
	arn := "arn:aws:iam::" + account + ":role/" + role
	for _, want := range []finding{
		{"shared-role", "medium", arn}, {"allows-everything", "high", arn},
		{"secret-in-environment", "high", families[0] + ":1/app"}, {"privileged", "high", families[1] + ":1/app"},
		{"fixed-host-port", "low", families[1] + ":1/app"}, {"mutable-tag", "low", families[0] + ":1/app"},
	} {
		if !slices.Contains(report.Findings, want) {
			t.Errorf("%v is not found", want)
		}
	}
	for _, g := range report.Grades {
		if g.Grade == "A" {
			t.Errorf("%s are marked A", g.Area)
		}
	}
}
