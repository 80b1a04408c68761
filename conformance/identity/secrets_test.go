package identity_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// secretWith makes a secret that had another value before, and returns its ARN.
func (b *berth) secretWith(t *testing.T, name, before, now string) string {
	t.Helper()
	c := secretsmanager.NewFromConfig(b.config())
	made, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &before})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: &now}); err != nil {
		t.Fatal(err)
	}
	return *made.ARN
}

// parameter puts values of a parameter, one after the other.
func (b *berth) parameter(t *testing.T, name string, kind ssmtypes.ParameterType, values ...string) {
	t.Helper()
	for _, value := range values {
		in := &ssm.PutParameterInput{Name: &name, Type: kind, Value: &value, Overwrite: aws.Bool(true)}
		if _, err := ssm.NewFromConfig(b.config()).PutParameter(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
}

// bothTypes are the launch types.
var bothTypes = map[string]func(steps string) *definition{"EC2": onEC2, "Fargate": onFargate}

func from(name, place string) types.Secret { return types.Secret{Name: &name, ValueFrom: &place} }

// TestTasksAreToldTheirSecrets gives containers what they are told in confidence: of a
// secret its whole, a key, and a key of the stage before; of parameters a plain one, a
// secure one, and a version; an environment file of S3; and an option of the log
// driver. Then the role may not read the secret any more.
func TestTasksAreToldTheirSecrets(t *testing.T) {
	t.Parallel()
	secret := here.secretWith(t, "told/db", `{"user":"ada"}`, `{"user":"bob"}`)
	here.parameter(t, "/told/plain", ssmtypes.ParameterTypeString, "open")
	here.parameter(t, "/told/secure", ssmtypes.ParameterTypeSecureString, "one", "two")
	here.parameter(t, "/told/group", ssmtypes.ParameterTypeSecureString, logGroup)
	here.bucketWith(t, "told-files", "app.env", "FROM_FILE=filed\nOF_TASK=not this\n")
	reading := allow("ssm:GetParameters s3:GetObject s3:GetBucketLocation", "*")
	role := here.executor(t, "role", reading, allow("secretsmanager:GetSecretValue", secret))
	definitions := map[string]*definition{}
	for name, on := range bothTypes {
		d := on("env ALL NOW BEFORE PLAIN SECURE VERSION FROM_FILE OF_TASK , file /told/NOW")
		d.Family = aws.String(nameOf(t, name))
		definitions[name] = d
		c := &d.ContainerDefinitions[0]
		c.Secrets = []types.Secret{from("ALL", secret), from("NOW", secret+":user::"), from("BEFORE", secret+":user:AWSPREVIOUS:"),
			from("PLAIN", "/told/plain"), from("SECURE", "/told/secure"), from("VERSION", "/told/secure:1")}
		c.EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::told-files/app.env")}}
		c.Environment = []types.KeyValuePair{{Name: aws.String("OF_TASK"), Value: aws.String("this")}}
		c.DockerLabels = map[string]string{"berth.secret-files": "/told"}
		c.LogConfiguration.Options["awslogs-group"] = "/elsewhere"
		c.LogConfiguration.SecretOptions = []types.Secret{from("awslogs-group", "/told/group")}
		d.ExecutionRoleArn = &role
	}
	for name, d := range definitions {
		task := here.run(t, d)
		want := `ALL={"user":"bob"};NOW=bob;BEFORE=ada;PLAIN=open;SECURE=two;VERSION=one;FROM_FILE=filed;OF_TASK=this;`
		if got := here.told(t, task, "env"); got != want {
			t.Errorf("%s: got %s\nwant %s", name, got, want)
		}
		here.told(t, task, "file", "bob")
		here.stopped(t, task)
	}
	here.permit(t, role, reading)
	for name, d := range definitions {
		end := here.stopped(t, here.run(t, d))
		t.Log(name)
		says(t, aws.ToString(end.StoppedReason), "ResourceInitializationError", "AccessDeniedException", "assumed-role/"+role+"/",
			"is not authorized to perform: secretsmanager:GetSecretValue on resource: "+secret)
	}
}

func TestSecretsNeedAnExecutionRole(t *testing.T) {
	t.Parallel()
	d := onEC2("whoami")
	d.ExecutionRoleArn, d.Family = nil, aws.String(nameOf(t, "family"))
	d.ContainerDefinitions[0].Secrets = []types.Secret{from("S", "arn:aws:secretsmanager:us-east-1:"+account+":secret:s-AbCdEf")}
	_, err := here.ecs.RegisterTaskDefinition(t.Context(), &d.RegisterTaskDefinitionInput)
	refused(t, err, "ClientException", "you must also specify a value for 'executionRoleArn'.")
}

// TestSecretFilesAreInMemory looks where a machine keeps the files of secrets.
func TestSecretFilesAreInMemory(t *testing.T) {
	t.Parallel()
	role := here.executor(t, "role", allow("secretsmanager:GetSecretValue", "*"))
	secret := here.secretWith(t, "in-memory", "another", "value")
	for name, on := range bothTypes {
		d := on("file /secrets/S , wait")
		d.ExecutionRoleArn, d.Family = &role, aws.String(nameOf(t, name))
		d.ContainerDefinitions[0].Secrets = []types.Secret{from("S", secret)}
		d.ContainerDefinitions[0].DockerLabels = map[string]string{"berth.secret-files": "/secrets"}
		task := here.run(t, d)
		here.told(t, task, "file", "value")
		mounts, err := os.ReadFile("/proc/mounts")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`\S+ ` + here.Data + `/\S*` + id(task) + `/secrets/app tmpfs `).Match(mounts) {
			t.Errorf("on %s they are not on a tmpfs", name)
		}
	}
}
