package vault_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// newKey makes a key, and an alias of it.
func (h *house) newKey(alias string) string {
	h.t.Helper()
	made := done[*kms.CreateKeyOutput](h.t)(h.keys.CreateKey(background, nil))
	done[*kms.CreateAliasOutput](h.t)(h.keys.CreateAlias(background, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: made.KeyMetadata.KeyId}))
	return *made.KeyMetadata.Arn
}

func TestEncryptAndDecrypt(t *testing.T) {
	h := open(t, nil)
	arn := h.newKey("alias/mine")
	for _, name := range []string{arn, arn[len(arn)-36:], "alias/mine", "arn:aws:kms:eu-central-1:123456789012:alias/mine"} {
		sealed := done[*kms.EncryptOutput](t)(h.keys.Encrypt(background, &kms.EncryptInput{KeyId: &name, Plaintext: []byte("hush"), EncryptionContext: map[string]string{"a": "b"}}))
		equal(t, "key", *sealed.KeyId, arn)
		opened := done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}}))
		equal(t, "plaintext", string(opened.Plaintext)+*opened.KeyId, "hush"+arn)
		for _, context := range []map[string]string{nil, {"a": "c"}, {"a": "b", "c": "d"}} {
			_, err := h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context})
			refused(t, err, "InvalidCiphertextException", "")
		}
	}
	other := h.newKey("alias/other")
	sealed := done[*kms.EncryptOutput](t)(h.keys.Encrypt(background, &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("hush")}))
	_, err := h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, KeyId: &other})
	refused(t, err, "IncorrectKeyException", "does not identify a CMK")
	moved := done[*kms.ReEncryptOutput](t)(h.keys.ReEncrypt(background, &kms.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: new("alias/other"), DestinationEncryptionContext: map[string]string{"x": "y"}}))
	equal(t, "moved", *moved.SourceKeyId+*moved.KeyId, arn+other)
	opened := done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: moved.CiphertextBlob, KeyId: &other, EncryptionContext: map[string]string{"x": "y"}}))
	equal(t, "plaintext", string(opened.Plaintext), "hush")
	_, err = h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: []byte("rubbish")})
	refused(t, err, "InvalidCiphertextException", "")
	_, err = h.keys.Encrypt(background, &kms.EncryptInput{KeyId: new("alias/none"), Plaintext: []byte("x")})
	refused(t, err, "NotFoundException", "Alias arn:aws:kms:eu-central-1:123456789012:alias/none is not found.")
	_, err = h.keys.Encrypt(background, &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), DryRun: new(true)})
	refused(t, err, "DryRunOperationException", "would have succeeded")
}

func TestDataKeys(t *testing.T) {
	h := open(t, nil)
	arn := h.newKey("alias/mine")
	made := done[*kms.GenerateDataKeyOutput](t)(h.keys.GenerateDataKey(background, &kms.GenerateDataKeyInput{KeyId: &arn, KeySpec: types.DataKeySpecAes256}))
	equal(t, "length", len(made.Plaintext), 32)
	opened := done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob}))
	equal(t, "the same", bytes.Equal(opened.Plaintext, made.Plaintext), true)
	blind := done[*kms.GenerateDataKeyWithoutPlaintextOutput](t)(h.keys.GenerateDataKeyWithoutPlaintext(background, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &arn, NumberOfBytes: new(int32(5))}))
	opened = done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: blind.CiphertextBlob}))
	equal(t, "length", len(opened.Plaintext), 5)
	_, err := h.keys.GenerateDataKey(background, &kms.GenerateDataKeyInput{KeyId: &arn})
	refused(t, err, "ValidationException", "Please specify either number of bytes or key spec.")
	random := done[*kms.GenerateRandomOutput](t)(h.keys.GenerateRandom(background, &kms.GenerateRandomInput{NumberOfBytes: new(int32(24))}))
	equal(t, "length", len(random.Plaintext), 24)
}

func TestKeysAndAliases(t *testing.T) {
	h := open(t, nil)
	made := done[*kms.CreateKeyOutput](t)(h.keys.CreateKey(background, &kms.CreateKeyInput{Description: new("d"), Tags: []types.Tag{{TagKey: new("a"), TagValue: new("1")}}})).KeyMetadata
	equal(t, "as made", said(made.KeyState, made.KeyManager, made.KeySpec, made.KeyUsage, made.Enabled, *made.Description, *made.AWSAccountId, *made.MultiRegion),
		"Enabled CUSTOMER SYMMETRIC_DEFAULT ENCRYPT_DECRYPT true d 123456789012 false")
	managed := done[*kms.DescribeKeyOutput](t)(h.keys.DescribeKey(background, &kms.DescribeKeyInput{KeyId: new("alias/aws/ssm")})).KeyMetadata
	equal(t, "managed", managed.KeyManager, types.KeyManagerTypeAws)
	again := done[*kms.DescribeKeyOutput](t)(h.keys.DescribeKey(background, &kms.DescribeKeyInput{KeyId: new("alias/aws/ssm")})).KeyMetadata
	equal(t, "the same", *again.Arn, *managed.Arn)
	_, err := h.keys.DisableKey(background, &kms.DisableKeyInput{KeyId: managed.KeyId})
	refused(t, err, "AccessDeniedException", "kms:DisableKey")
	_, err = h.keys.CreateKey(background, &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	refused(t, err, "UnsupportedOperationException", "")

	for name, want := range map[string]string{"mine": "InvalidAliasNameException", "alias/aws/x": "AccessDeniedException"} {
		_, err = h.keys.CreateAlias(background, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: made.KeyId})
		refused(t, err, want, "")
	}
	for _, name := range []string{"alias/a", "alias/b"} {
		done[*kms.CreateAliasOutput](t)(h.keys.CreateAlias(background, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: made.KeyId}))
	}
	_, err = h.keys.CreateAlias(background, &kms.CreateAliasInput{AliasName: new("alias/a"), TargetKeyId: made.KeyId})
	refused(t, err, "AlreadyExistsException", "An alias with the name arn:aws:kms:eu-central-1:123456789012:alias/a already exists")
	other := done[*kms.CreateKeyOutput](t)(h.keys.CreateKey(background, nil)).KeyMetadata
	done[*kms.UpdateAliasOutput](t)(h.keys.UpdateAlias(background, &kms.UpdateAliasInput{AliasName: new("alias/b"), TargetKeyId: other.Arn}))
	list := done[*kms.ListAliasesOutput](t)(h.keys.ListAliases(background, &kms.ListAliasesInput{KeyId: other.KeyId}))
	equal(t, "of the other", said(len(list.Aliases), *list.Aliases[0].AliasName), "1 alias/b")
	done[*kms.DeleteAliasOutput](t)(h.keys.DeleteAlias(background, &kms.DeleteAliasInput{AliasName: new("alias/b")}))
	pages, all := kms.NewListAliasesPaginator(h.keys, &kms.ListAliasesInput{Limit: new(int32(1))}), ""
	for pages.HasMorePages() {
		for _, alias := range done[*kms.ListAliasesOutput](t)(pages.NextPage(background)).Aliases {
			all += *alias.AliasName + " "
		}
	}
	equal(t, "all", all, "alias/a alias/aws/ssm ")
	keys := done[*kms.ListKeysOutput](t)(h.keys.ListKeys(background, &kms.ListKeysInput{Limit: new(int32(2))}))
	equal(t, "a page of keys", said(len(keys.Keys), keys.Truncated), "2 true")
	done[*kms.TagResourceOutput](t)(h.keys.TagResource(background, &kms.TagResourceInput{KeyId: made.KeyId, Tags: []types.Tag{{TagKey: new("b"), TagValue: new("2")}}}))
	done[*kms.UntagResourceOutput](t)(h.keys.UntagResource(background, &kms.UntagResourceInput{KeyId: made.KeyId, TagKeys: []string{"a"}}))
	tags := done[*kms.ListResourceTagsOutput](t)(h.keys.ListResourceTags(background, &kms.ListResourceTagsInput{KeyId: made.KeyId}))
	equal(t, "tags", said(len(tags.Tags), *tags.Tags[0].TagKey), "1 b")
}

func TestKeyPoliciesAndRotation(t *testing.T) {
	h := open(t, nil)
	made := done[*kms.CreateKeyOutput](t)(h.keys.CreateKey(background, nil)).KeyMetadata
	got := done[*kms.GetKeyPolicyOutput](t)(h.keys.GetKeyPolicy(background, &kms.GetKeyPolicyInput{KeyId: made.KeyId}))
	text, ok := store.ResourcePolicy(h.store.View(), *made.Arn)
	equal(t, "default policy", *got.Policy, text)
	equal(t, "found", ok, true)
	const own = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}`
	done[*kms.PutKeyPolicyOutput](t)(h.keys.PutKeyPolicy(background, &kms.PutKeyPolicyInput{KeyId: made.KeyId, Policy: new(own)}))
	got = done[*kms.GetKeyPolicyOutput](t)(h.keys.GetKeyPolicy(background, &kms.GetKeyPolicyInput{KeyId: made.KeyId}))
	equal(t, "own policy", *got.Policy, own)
	_, err := h.keys.PutKeyPolicy(background, &kms.PutKeyPolicyInput{KeyId: made.KeyId, Policy: new("{}")})
	refused(t, err, "MalformedPolicyDocumentException", "")

	sealed := done[*kms.EncryptOutput](t)(h.keys.Encrypt(background, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: []byte("hush")}))
	done[*kms.EnableKeyRotationOutput](t)(h.keys.EnableKeyRotation(background, &kms.EnableKeyRotationInput{KeyId: made.KeyId, RotationPeriodInDays: new(int32(90))}))
	status := done[*kms.GetKeyRotationStatusOutput](t)(h.keys.GetKeyRotationStatus(background, &kms.GetKeyRotationStatusInput{KeyId: made.KeyId}))
	equal(t, "rotation", said(status.KeyRotationEnabled, *status.RotationPeriodInDays, status.NextRotationDate != nil), "true 90 true")
	before := done[*kms.DescribeKeyOutput](t)(h.keys.DescribeKey(background, &kms.DescribeKeyInput{KeyId: made.KeyId})).KeyMetadata
	h.clock.add(91 * 24 * time.Hour)
	if err := (&vault.Upkeep{Vault: h.vault, Store: h.store, Now: h.clock.now}).Look(background); err != nil {
		t.Fatal(err)
	}
	k, ok := store.FindCryptKey(h.store.View(), gatewayScope, *made.KeyId)
	equal(t, "materials", said(ok, len(k.Materials)), "true 2")
	equal(t, "another material", k.Materials[1].ID != *before.CurrentKeyMaterialId && k.Materials[0].ID == *before.CurrentKeyMaterialId, true)
	h.clock.add(-91 * 24 * time.Hour)
	opened := done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}))
	equal(t, "still opens", string(opened.Plaintext), "hush")
}

// What is under a key that is disabled, or to be deleted, is not read.
func TestKeysThatMayNotBeUsed(t *testing.T) {
	h := open(t, nil)
	arn := h.newKey("alias/mine")
	done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v"), KmsKeyId: new("alias/mine")}))
	done[*ssm.PutParameterOutput](t)(h.params.PutParameter(background, &ssm.PutParameterInput{Name: new("p"), Value: new("v"), Type: ssmtypes.ParameterTypeSecureString, KeyId: new("alias/mine")}))
	sealed := done[*kms.EncryptOutput](t)(h.keys.Encrypt(background, &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("hush")}))
	check := func(kmsKind, kmsWords string) {
		t.Helper()
		_, err := h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
		refused(t, err, kmsKind, kmsWords)
		_, err = h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")})
		refused(t, err, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
		_, err = h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: new("w")})
		refused(t, err, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key.")
		_, err = h.params.GetParameter(background, &ssm.GetParameterInput{Name: new("p"), WithDecryption: new(true)})
		refused(t, err, "InvalidKeyId", kmsWords)
	}
	done[*kms.DisableKeyOutput](t)(h.keys.DisableKey(background, &kms.DisableKeyInput{KeyId: &arn}))
	check("DisabledException", arn+" is disabled.")
	done[*kms.EnableKeyOutput](t)(h.keys.EnableKey(background, &kms.EnableKeyInput{KeyId: &arn}))
	out := done[*kms.ScheduleKeyDeletionOutput](t)(h.keys.ScheduleKeyDeletion(background, &kms.ScheduleKeyDeletionInput{KeyId: &arn, PendingWindowInDays: new(int32(7))}))
	equal(t, "state", out.KeyState, types.KeyStatePendingDeletion)
	check("KMSInvalidStateException", arn+" is pending deletion.")
	done[*kms.CancelKeyDeletionOutput](t)(h.keys.CancelKeyDeletion(background, &kms.CancelKeyDeletionInput{KeyId: &arn}))
	check("DisabledException", arn+" is disabled.")
	done[*kms.EnableKeyOutput](t)(h.keys.EnableKey(background, &kms.EnableKeyInput{KeyId: &arn}))
	got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")}))
	equal(t, "readable again", *got.SecretString, "v")
	_, err := h.keys.ScheduleKeyDeletion(background, &kms.ScheduleKeyDeletionInput{KeyId: &arn, PendingWindowInDays: new(int32(6))})
	refused(t, err, "ValidationException", "")
}

// A secret moves to another key with all its labelled values.
func TestASecretMovesToAnotherKey(t *testing.T) {
	h := open(t, nil)
	first, second := h.newKey("alias/first"), h.newKey("alias/second")
	made := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("one"), KmsKeyId: &first}))
	done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: new("two")}))
	done[*secretsmanager.UpdateSecretOutput](t)(h.secrets.UpdateSecret(background, &secretsmanager.UpdateSecretInput{SecretId: new("s"), KmsKeyId: &second}))
	done[*kms.DisableKeyOutput](t)(h.keys.DisableKey(background, &kms.DisableKeyInput{KeyId: &first}))
	for stage, want := range map[string]string{"AWSCURRENT": "two", "AWSPREVIOUS": "one"} {
		got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s"), VersionStage: &stage}))
		equal(t, stage, *got.SecretString, want)
	}
	list := done[*secretsmanager.ListSecretVersionIdsOutput](t)(h.secrets.ListSecretVersionIds(background, &secretsmanager.ListSecretVersionIdsInput{SecretId: new("s")}))
	for _, v := range list.Versions {
		if *v.VersionId == *made.VersionId {
			equal(t, "its keys", said(v.KmsKeyIds), said([]string{first, second}))
		}
	}
}
