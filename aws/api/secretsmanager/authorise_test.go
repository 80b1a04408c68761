package secretsmanager_test

import (
	"log/slog"
	"os"
	"strings"
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
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

const (
	keyID     = "00000000-0000-4000-8000-000000000001"
	keyARN    = "arn:aws:kms:eu-central-1:123456789012:key/" + keyID
	secretARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:own-abcdef"
	paramARN  = "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/p"
	version   = "00000000-0000-4000-8000-00000000000v"
	lambda    = "arn:aws:lambda:eu-central-1:123456789012:function:f"
)

func authorising(t testing.TB) *gatewaytest.Server {
	var st store.Store
	s := gatewaytest.Start(t, func(memory store.Store) []gateway.Offer {
		st = memory
		v, err := vault.Open(t.TempDir(), st.View(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		secrets := secretsmanager.New(secretsmanager.Config{Store: st, Vault: v, Hooked: func(string) bool { return true }})
		params := ssm.New(ssm.Config{Store: st, Vault: v, Secrets: secrets})
		keys := kms.New(st, v)
		k := &secret.Key{Scope: gatewaytest.Scope, ID: keyID, ARN: keyARN, State: secret.Enabled}
		m, err := v.NewMaterial(k.ARN, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		k.Materials = []secret.Material{m}
		_, err = st.Update(t.Context(), func(tx *store.Tx) error {
			store.CryptKeys.Put(tx, k)
			store.KeyAliases.Put(tx, &secret.Alias{Scope: k.Scope, Name: "alias/mine", KeyID: keyID})
			store.Secrets.Put(tx, &secret.Secret{Scope: k.Scope, Name: "own", ARN: secretARN, Key: keyID, Versions: []secret.Version{{ID: version, Stages: []string{secret.Current}}}, Tags: []workload.Tag{{Key: "team", Value: "ml"}}})
			store.SecretValues.Put(tx, &secret.Value{SecretARN: secretARN, VersionID: version, KeyARN: keyARN})
			store.Parameters.Put(tx, &secret.Parameter{Scope: k.Scope, Name: "/prod/p", ARN: paramARN, Latest: 1, Oldest: 1})
			store.Editions.Put(tx, &secret.Edition{Scope: k.Scope, Name: "/prod/p", Version: 1, Type: secret.SecureString, KeyARN: keyARN, Key: keyID})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return []gateway.Offer{
			{Service: shape.API, Handlers: secrets.Operations(), Needs: secrets.Needs()},
			{Service: ssmshape.API, Handlers: params.Operations(), Needs: params.Needs()},
			{Service: kmsshape.API, Handlers: keys.Operations(), Needs: keys.Needs()},
		}
	}, func(o *gateway.Options) {
		o.Authoriser = access.New(access.Config{Store: st, Resources: owned{st}})
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	})
	return s
}

// owned are the resources of the three services.
type owned struct{ store store.Store }

func (o owned) Policy(resource string) (document, owner string, ok bool) {
	document, ok = store.ResourcePolicy(o.store.View(), resource)
	return document, gatewaytest.Scope.Account, ok
}

func (o owned) Tags(resource string) ([]workload.Tag, bool) {
	return store.ResourceTags(o.store.View(), resource)
}

// A policy of a secret alone lets a role of the account read it. A policy of a key
// alone decides who may use it at all, and the default one leaves that to the roles'
// own policies.
func TestPoliciesOfSecretsAndKeys(t *testing.T) {
	const (
		reader   = "arn:aws:iam::123456789012:role/reader"
		readable = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + reader + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
		theirs   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + reader + `"},"Action":"kms:*","Resource":"*"}}`
	)
	for _, c := range []struct {
		name, role  string
		secret, key string // policies
		roles       []string
		missing     string // what the role is not allowed; empty for nothing
	}{
		{"no policies", "reader", "", "", nil, "secretsmanager:GetSecretValue"},
		{"the secret's, and no right to the key", "reader", readable, "", nil, "kms:Decrypt"},
		{"the secret's and the key's", "reader", readable, theirs, nil, ""},
		{"another role", "other", readable, theirs, nil, "secretsmanager:GetSecretValue"},
		{"all rights, and the key's default policy", "other", "", "", []string{gatewaytest.AllowAll}, ""},
		{"all rights, and a key that is for another", "other", "", theirs, []string{gatewaytest.AllowAll}, "kms:Decrypt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := authorising(t)
			s.Put(t, func(tx *store.Tx) {
				own, _ := store.FindSecret(tx, gatewaytest.Scope, "own")
				key, _ := store.FindCryptKey(tx, gatewaytest.Scope, keyID)
				nextSecret, nextKey := *own, *key
				nextSecret.Policy, nextKey.Policy = c.secret, c.key
				store.Secrets.Put(tx, &nextSecret)
				store.CryptKeys.Put(tx, &nextKey)
			})
			_, errs, code := s.CLI(t, s.Role(t, c.role, c.roles...), "secretsmanager", "get-secret-value", "--secret-id", "own")
			denied := strings.Contains(errs, "is not authorized to perform: ")
			if code == 0 || denied != (c.missing != "") || !strings.Contains(errs, c.missing) {
				t.Errorf("%d %s", code, errs)
			}
			if !denied && !strings.Contains(errs, "DecryptionFailure") { // the record is no real value
				t.Errorf("past the door: %s", errs)
			}
		})
	}
}

func need(action string, keys map[string][]string, resources ...string) gateway.Need {
	return gateway.Need{Action: action, Keys: keys, Resources: resources}
}

func TestAuthorisationOfSecrets(t *testing.T) {
	via := map[string][]string{"kms:ViaService": {"secretsmanager.eu-central-1.amazonaws.com"}, "kms:EncryptionContext:SecretARN": {secretARN}}
	own := func(operation, input string, keys map[string][]string, more ...gateway.Need) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: append([]gateway.Need{need("secretsmanager:"+operation, keys, secretARN)}, more...)}
	}
	seal := []gateway.Need{need("kms:GenerateDataKey", via, keyARN), need("kms:Decrypt", via, keyARN)}
	unmade := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:new-??????"
	gatewaytest.Authorisation(t, authorising, shape.API, []gatewaytest.Authorised{
		{Operation: "CreateSecret", Input: `{"Name": "new", "Tags": [{"Key": "a", "Value": "b"}]}`, Needs: []gateway.Need{
			need("secretsmanager:CreateSecret", map[string][]string{"secretsmanager:Name": {"new"}, "aws:RequestTag/a": {"b"}, "aws:TagKeys": {"a"}}, unmade), need("secretsmanager:TagResource", nil, unmade)}},
		own("DescribeSecret", `{"SecretId": "own"}`, map[string][]string{"secretsmanager:SecretId": {"own"}, "aws:ResourceTag/team": {"ml"}, "secretsmanager:ResourceTag/team": {"ml"}}),
		{Operation: "ListSecrets", Needs: []gateway.Need{need("secretsmanager:ListSecrets", nil)}},
		own("UpdateSecret", `{"SecretId": "own", "SecretString": "v"}`, nil, seal...),
		own("DeleteSecret", `{"SecretId": "own", "RecoveryWindowInDays": 7}`, map[string][]string{"secretsmanager:RecoveryWindowInDays": {"7"}}),
		own("RestoreSecret", `{"SecretId": "own"}`, nil),
		own("GetSecretValue", `{"SecretId": "own"}`, map[string][]string{"secretsmanager:VersionStage": {"AWSCURRENT"}}, need("kms:Decrypt", via, keyARN)),
		{Operation: "BatchGetSecretValue", Input: `{"SecretIdList": ["own"]}`, Needs: []gateway.Need{need("secretsmanager:BatchGetSecretValue", nil), need("secretsmanager:GetSecretValue", nil, secretARN), need("kms:Decrypt", via, keyARN)}},
		own("PutSecretValue", `{"SecretId": "own", "SecretString": "v"}`, nil, seal...),
		own("ListSecretVersionIds", `{"SecretId": "own"}`, nil),
		own("UpdateSecretVersionStage", `{"SecretId": "own", "VersionStage": "x", "MoveToVersionId": "`+version+`"}`, map[string][]string{"secretsmanager:VersionStage": {"x"}}),
		own("TagResource", `{"SecretId": "own", "Tags": [{"Key": "a", "Value": "b"}]}`, map[string][]string{"aws:RequestTag/a": {"b"}}),
		own("UntagResource", `{"SecretId": "own", "TagKeys": ["a"]}`, map[string][]string{"aws:TagKeys": {"a"}}),
		own("GetResourcePolicy", `{"SecretId": "own"}`, nil),
		own("PutResourcePolicy", `{"SecretId": "own", "ResourcePolicy": "{}"}`, map[string][]string{"secretsmanager:BlockPublicPolicy": {"false"}}),
		own("DeleteResourcePolicy", `{"SecretId": "own"}`, nil),
		own("ValidateResourcePolicy", `{"SecretId": "own", "ResourcePolicy": "{}"}`, nil),
		own("RotateSecret", `{"SecretId": "own", "RotationLambdaARN": "`+lambda+`"}`, map[string][]string{"secretsmanager:RotationLambdaARN": {lambda}}, need("lambda:InvokeFunction", nil, lambda)),
		own("CancelRotateSecret", `{"SecretId": "own"}`, nil),
		{Operation: "GetRandomPassword", Needs: []gateway.Need{need("secretsmanager:GetRandomPassword", nil)}},
		own("ReplicateSecretToRegions", `{"SecretId": "own", "AddReplicaRegions": [{"Region": "eu-west-1"}]}`, nil),
		own("RemoveRegionsFromReplication", `{"SecretId": "own", "RemoveReplicaRegions": ["eu-west-1"]}`, nil),
		own("StopReplicationToReplica", `{"SecretId": "own"}`, nil),
	})
}

func TestAuthorisationOfParameters(t *testing.T) {
	via := map[string][]string{"kms:ViaService": {"ssm.eu-central-1.amazonaws.com"}, "kms:EncryptionContext:PARAMETER_ARN": {paramARN}}
	decrypt := need("kms:Decrypt", via, keyARN)
	own := func(operation, input string, keys map[string][]string, more ...gateway.Need) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: append([]gateway.Need{need("ssm:"+operation, keys, paramARN)}, more...)}
	}
	gatewaytest.Authorisation(t, authorising, ssmshape.API, []gatewaytest.Authorised{
		own("PutParameter", `{"Name": "/prod/p", "Value": "v", "Type": "SecureString", "KeyId": "`+keyID+`", "Overwrite": true}`, map[string][]string{"ssm:Overwrite": {"true"}}, need("kms:Encrypt", via, keyARN)),
		own("DeleteParameter", `{"Name": "/prod/p"}`, nil),
		own("DeleteParameters", `{"Names": ["/prod/p"]}`, nil),
		own("GetParameter", `{"Name": "/prod/p:1", "WithDecryption": true}`, nil, decrypt),
		own("GetParameters", `{"Names": ["/prod/p"], "WithDecryption": true}`, nil, decrypt),
		{Operation: "GetParametersByPath", Input: `{"Path": "/prod", "WithDecryption": true}`, Needs: []gateway.Need{
			need("ssm:GetParametersByPath", map[string][]string{"ssm:Recursive": {"false"}}, "arn:aws:ssm:eu-central-1:123456789012:parameter/prod"), decrypt}},
		own("GetParameterHistory", `{"Name": "/prod/p", "WithDecryption": true}`, nil, decrypt),
		{Operation: "DescribeParameters", Needs: []gateway.Need{need("ssm:DescribeParameters", nil)}},
		own("LabelParameterVersion", `{"Name": "/prod/p", "Labels": ["x"]}`, nil),
		own("UnlabelParameterVersion", `{"Name": "/prod/p", "ParameterVersion": 1, "Labels": ["x"]}`, nil),
		own("AddTagsToResource", `{"ResourceType": "Parameter", "ResourceId": "/prod/p", "Tags": [{"Key": "a", "Value": "b"}]}`, map[string][]string{"aws:RequestTag/a": {"b"}}),
		own("RemoveTagsFromResource", `{"ResourceType": "Parameter", "ResourceId": "/prod/p", "TagKeys": ["a"]}`, map[string][]string{"aws:TagKeys": {"a"}}),
		own("ListTagsForResource", `{"ResourceType": "Parameter", "ResourceId": "/prod/p"}`, nil),
	})
}

func TestAuthorisationOfKeys(t *testing.T) {
	own := func(operation, input string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: `{"KeyId": "` + keyID + `"` + input + `}`, Needs: []gateway.Need{need("kms:"+operation, nil, keyARN)}}
	}
	const alias = "arn:aws:kms:eu-central-1:123456789012:alias/"
	none := func(operation, input string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need("kms:"+operation, nil)}}
	}
	two := func(operation, name, input string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: `{"AliasName": "alias/` + name + `"` + input + `}`, Needs: []gateway.Need{need("kms:"+operation, nil, alias+name), need("kms:"+operation, nil, keyARN)}}
	}
	gatewaytest.Authorisation(t, authorising, kmsshape.API, []gatewaytest.Authorised{
		none("CreateKey", ""), none("ListKeys", ""), none("ListAliases", ""), none("GenerateRandom", `{"NumberOfBytes": 3}`),
		own("DescribeKey", ""), own("UpdateKeyDescription", `, "Description": "d"`), own("EnableKey", ""), own("DisableKey", ""),
		own("ScheduleKeyDeletion", ""), own("CancelKeyDeletion", ""),
		two("CreateAlias", "new", `, "TargetKeyId": "`+keyID+`"`), two("UpdateAlias", "mine", `, "TargetKeyId": "`+keyID+`"`), two("DeleteAlias", "mine", ""),
		own("Encrypt", `, "Plaintext": "aGk="`), own("Decrypt", `, "CiphertextBlob": "aGk="`),
		{Operation: "ReEncrypt", Input: `{"CiphertextBlob": "aGk=", "SourceKeyId": "` + keyID + `", "DestinationKeyId": "` + keyID + `"}`, Needs: []gateway.Need{need("kms:ReEncryptFrom", nil, keyARN), need("kms:ReEncryptTo", nil, keyARN)}},
		own("GenerateDataKey", `, "KeySpec": "AES_256"`), own("GenerateDataKeyWithoutPlaintext", `, "KeySpec": "AES_256"`),
		own("GetKeyPolicy", ""), own("PutKeyPolicy", `, "Policy": "{}"`), own("ListKeyPolicies", ""),
		own("EnableKeyRotation", ""), own("DisableKeyRotation", ""), own("GetKeyRotationStatus", ""),
		own("TagResource", `, "Tags": [{"TagKey": "a", "TagValue": "b"}]`), own("UntagResource", `, "TagKeys": ["a"]`), own("ListResourceTags", ""),
	})
}
