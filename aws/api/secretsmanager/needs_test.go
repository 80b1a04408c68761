package secretsmanager_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/kms"
	"github.com/berthhq/berth/aws/api/secretsmanager"
	"github.com/berthhq/berth/aws/api/ssm"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	kmsshape "github.com/berthhq/berth/aws/shape/kms"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	ssmshape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store/memory"
)

// api is all three services, called without a gateway.
type api struct {
	t        *testing.T
	handlers map[string]map[string]gateway.Handler
	needs    map[string]map[string]gateway.Needs
}

func start(t *testing.T) *api {
	st := memory.Open()
	v, err := vault.Open(t.TempDir(), st.View(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretsmanager.New(secretsmanager.Config{Store: st, Vault: v, Hooked: func(string) bool { return true }})
	parameters := ssm.New(ssm.Config{Store: st, Vault: v, Secrets: secrets})
	keys := kms.New(st, v)
	return &api{
		t: t,
		handlers: map[string]map[string]gateway.Handler{
			"secretsmanager": secrets.Operations(), "ssm": parameters.Operations(), "kms": keys.Operations(),
		},
		needs: map[string]map[string]gateway.Needs{"secretsmanager": secrets.Needs(), "ssm": parameters.Needs(), "kms": keys.Needs()},
	}
}

func (a *api) call() *gateway.Call {
	return &gateway.Call{Scope: gatewaytest.Scope, Now: time.Now()}
}

func do[Out any](a *api, service, operation string, in any) *Out {
	a.t.Helper()
	out, err := a.handlers[service][operation](context.Background(), a.call(), in)
	if err != nil {
		a.t.Fatalf("%s: %v", operation, err)
	}
	answer, ok := out.(*Out)
	if !ok {
		a.t.Fatalf("%s answered %T", operation, out)
	}
	return answer
}

func (a *api) expect(name, service, operation string, in any, want ...gateway.Need) {
	a.t.Helper()
	got := a.needs[service][operation](a.call(), in)
	if len(got) != len(want) {
		a.t.Errorf("%s: %d needs, want %d: %+v", name, len(got), len(want), got)
		return
	}
	for i := range want {
		if got[i].Action != want[i].Action || !reflect.DeepEqual(got[i].Resources, want[i].Resources) {
			a.t.Errorf("%s: need %d is %s on %v, want %s on %v", name, i, got[i].Action, got[i].Resources, want[i].Action, want[i].Resources)
		}
		for key, values := range want[i].Keys {
			if !reflect.DeepEqual(got[i].Keys[key], values) {
				a.t.Errorf("%s: %s is %v, want %v", name, key, got[i].Keys[key], values)
			}
		}
	}
}

type keys = map[string][]string

func TestNeedsOfSecrets(t *testing.T) {
	a := start(t)
	key := do[kmsshape.CreateKeyResponse](a, "kms", "CreateKey", &kmsshape.CreateKeyRequest{}).KeyMetadata
	tags := []shape.Tag{{Key: new("team"), Value: new("ml")}}
	unmade := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:new-??????"
	a.expect("create", "secretsmanager", "CreateSecret", &shape.CreateSecretRequest{Name: new("new"), Tags: tags, SecretString: new("v"), KmsKeyId: key.KeyId},
		gateway.Need{Resources: []string{unmade}, Keys: keys{"secretsmanager:Name": {"new"}, "aws:RequestTag/team": {"ml"}, "aws:TagKeys": {"team"}, "secretsmanager:KmsKeyId": {*key.KeyId}}},
		gateway.Need{Action: "secretsmanager:TagResource", Resources: []string{unmade}},
		gateway.Need{Action: "kms:GenerateDataKey", Resources: []string{*key.Arn}, Keys: keys{"kms:ViaService": {"secretsmanager.eu-central-1.amazonaws.com"}}},
		gateway.Need{Action: "kms:Decrypt", Resources: []string{*key.Arn}})
	plain := do[shape.CreateSecretResponse](a, "secretsmanager", "CreateSecret", &shape.CreateSecretRequest{Name: new("plain"), SecretString: new("v"), Tags: tags})
	sealed := do[shape.CreateSecretResponse](a, "secretsmanager", "CreateSecret", &shape.CreateSecretRequest{Name: new("sealed"), SecretString: new("v"), KmsKeyId: key.Arn})

	a.expect("get by name", "secretsmanager", "GetSecretValue", &shape.GetSecretValueRequest{SecretId: new("plain")},
		gateway.Need{Action: "secretsmanager:GetSecretValue", Resources: []string{*plain.ARN}, Keys: keys{
			"secretsmanager:SecretId": {"plain"}, "secretsmanager:VersionStage": {"AWSCURRENT"}, "secretsmanager:VersionId": nil,
			"aws:ResourceTag/team": {"ml"}, "secretsmanager:ResourceTag/team": {"ml"},
		}})
	a.expect("get by version, of a key of one's own", "secretsmanager", "GetSecretValue", &shape.GetSecretValueRequest{SecretId: sealed.ARN, VersionId: sealed.VersionId},
		gateway.Need{Action: "secretsmanager:GetSecretValue", Resources: []string{*sealed.ARN}, Keys: keys{"secretsmanager:VersionId": {*sealed.VersionId}, "secretsmanager:VersionStage": {"AWSCURRENT"}}},
		gateway.Need{Action: "kms:Decrypt", Resources: []string{*key.Arn}, Keys: keys{
			"kms:ViaService": {"secretsmanager.eu-central-1.amazonaws.com"}, "kms:EncryptionContext:SecretARN": {*sealed.ARN},
			"kms:EncryptionContext:SecretVersionId": {*sealed.VersionId}, "kms:EncryptionContextKeys": {"SecretARN", "SecretVersionId"}, "kms:CallerAccount": {"123456789012"},
		}})
	a.expect("what is not there", "secretsmanager", "GetSecretValue", &shape.GetSecretValueRequest{SecretId: new("none")},
		gateway.Need{Action: "secretsmanager:GetSecretValue", Resources: []string{"arn:aws:secretsmanager:eu-central-1:123456789012:secret:none"}})
	a.expect("batch", "secretsmanager", "BatchGetSecretValue", &shape.BatchGetSecretValueRequest{SecretIdList: []string{"plain"}},
		gateway.Need{}, gateway.Need{Action: "secretsmanager:GetSecretValue", Resources: []string{*plain.ARN}})
	a.expect("put", "secretsmanager", "PutSecretValue", &shape.PutSecretValueRequest{SecretId: new("plain")}, gateway.Need{Resources: []string{*plain.ARN}})
	a.expect("delete", "secretsmanager", "DeleteSecret", &shape.DeleteSecretRequest{SecretId: new("plain"), ForceDeleteWithoutRecovery: new(true)},
		gateway.Need{Resources: []string{*plain.ARN}, Keys: keys{"secretsmanager:ForceDeleteWithoutRecovery": {"true"}}})
	a.expect("rotate", "secretsmanager", "RotateSecret", &shape.RotateSecretRequest{SecretId: new("plain"), RotationLambdaARN: new("arn:l")},
		gateway.Need{Resources: []string{*plain.ARN}, Keys: keys{"secretsmanager:RotationLambdaARN": {"arn:l"}}}, gateway.Need{Action: "lambda:InvokeFunction", Resources: []string{"arn:l"}})
}

func TestNeedsOfParameters(t *testing.T) {
	a := start(t)
	key := do[kmsshape.CreateKeyResponse](a, "kms", "CreateKey", &kmsshape.CreateKeyRequest{}).KeyMetadata
	secret := do[shape.CreateSecretResponse](a, "secretsmanager", "CreateSecret", &shape.CreateSecretRequest{Name: new("s"), SecretString: new("v")})
	secure := &ssmshape.PutParameterRequest{Name: new("/prod/p"), Value: new("v"), Type: ssmshape.ParameterTypeSecureString, KeyId: key.KeyId, Tags: []ssmshape.Tag{{Key: new("a"), Value: new("1")}}}
	const prod = "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/p"
	a.expect("put", "ssm", "PutParameter", secure,
		gateway.Need{Resources: []string{prod}, Keys: keys{"ssm:Overwrite": {"false"}, "aws:RequestTag/a": {"1"}}}, gateway.Need{Action: "ssm:AddTagsToResource", Resources: []string{prod}},
		gateway.Need{Action: "kms:Encrypt", Resources: []string{*key.Arn}, Keys: keys{"kms:EncryptionContext:PARAMETER_ARN": {prod}}})
	do[ssmshape.PutParameterResult](a, "ssm", "PutParameter", secure)
	decrypt := gateway.Need{Action: "kms:Decrypt", Resources: []string{*key.Arn}, Keys: keys{"kms:ViaService": {"ssm.eu-central-1.amazonaws.com"}, "kms:EncryptionContext:PARAMETER_ARN": {prod}}}
	a.expect("get", "ssm", "GetParameter", &ssmshape.GetParameterRequest{Name: new("/prod/p:1"), WithDecryption: new(true)}, gateway.Need{Resources: []string{prod}, Keys: keys{"aws:ResourceTag/a": {"1"}}}, decrypt)
	a.expect("get sealed", "ssm", "GetParameter", &ssmshape.GetParameterRequest{Name: new("/prod/p")}, gateway.Need{Resources: []string{prod}})
	a.expect("get by ARN", "ssm", "GetParameters", &ssmshape.GetParametersRequest{Names: []string{prod, "none"}, WithDecryption: new(true)}, gateway.Need{Resources: []string{prod}}, decrypt,
		gateway.Need{Resources: []string{"arn:aws:ssm:eu-central-1:123456789012:parameter/none"}})
	a.expect("by path", "ssm", "GetParametersByPath", &ssmshape.GetParametersByPathRequest{Path: new("/prod/"), WithDecryption: new(true)},
		gateway.Need{Resources: []string{"arn:aws:ssm:eu-central-1:123456789012:parameter/prod"}, Keys: keys{"ssm:Recursive": {"false"}}}, decrypt)
	a.expect("public", "ssm", "GetParameter", &ssmshape.GetParameterRequest{Name: new("/aws/service/ecs/x")}, gateway.Need{Resources: []string{"arn:aws:ssm:eu-central-1::parameter/aws/service/ecs/x"}})
	a.expect("a secret", "ssm", "GetParameter", &ssmshape.GetParameterRequest{Name: new("/aws/reference/secretsmanager/s"), WithDecryption: new(true)},
		gateway.Need{Resources: []string{"arn:aws:ssm:eu-central-1:123456789012:parameter/aws/reference/secretsmanager/s"}},
		gateway.Need{Action: "secretsmanager:GetSecretValue", Resources: []string{*secret.ARN}})
}

func TestNeedsOfKeys(t *testing.T) {
	a := start(t)
	key := do[kmsshape.CreateKeyResponse](a, "kms", "CreateKey", &kmsshape.CreateKeyRequest{}).KeyMetadata
	other := do[kmsshape.CreateKeyResponse](a, "kms", "CreateKey", &kmsshape.CreateKeyRequest{}).KeyMetadata
	alias := "arn:aws:kms:eu-central-1:123456789012:alias/a"
	a.expect("alias", "kms", "CreateAlias", &kmsshape.CreateAliasRequest{AliasName: new("alias/a"), TargetKeyId: key.KeyId}, gateway.Need{Resources: []string{alias}}, gateway.Need{Resources: []string{*key.Arn}})
	if _, err := a.handlers["kms"]["CreateAlias"](context.Background(), a.call(), &kmsshape.CreateAliasRequest{AliasName: new("alias/a"), TargetKeyId: key.KeyId}); err != nil {
		t.Fatal(err)
	}
	a.expect("move the alias", "kms", "UpdateAlias", &kmsshape.UpdateAliasRequest{AliasName: new("alias/a"), TargetKeyId: other.KeyId},
		gateway.Need{Resources: []string{alias}}, gateway.Need{Resources: []string{*other.Arn}}, gateway.Need{Resources: []string{*key.Arn}})
	a.expect("encrypt", "kms", "Encrypt", &kmsshape.EncryptRequest{KeyId: new("alias/a"), EncryptionContext: map[string]string{"x": "y"}},
		gateway.Need{Resources: []string{*key.Arn}, Keys: keys{"kms:EncryptionContext:x": {"y"}, "kms:RequestAlias": {"alias/a"}, "kms:ResourceAliases": {"alias/a"}}})
	sealed := do[kmsshape.EncryptResponse](a, "kms", "Encrypt", &kmsshape.EncryptRequest{KeyId: key.KeyId, Plaintext: []byte("x")})
	a.expect("decrypt", "kms", "Decrypt", &kmsshape.DecryptRequest{CiphertextBlob: sealed.CiphertextBlob}, gateway.Need{Resources: []string{*key.Arn}})
	a.expect("encrypt again", "kms", "ReEncrypt", &kmsshape.ReEncryptRequest{CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: other.Arn},
		gateway.Need{Action: "kms:ReEncryptFrom", Resources: []string{*key.Arn}}, gateway.Need{Action: "kms:ReEncryptTo", Resources: []string{*other.Arn}})
}
