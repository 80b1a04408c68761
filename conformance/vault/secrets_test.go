package vault_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/berthhq/berth/store"
)

const token = "00000000-0000-4000-8000-00000000000"

func TestASecretsLife(t *testing.T) {
	h := open(t, nil)
	made := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{
		Name: new("prod/db"), SecretString: new(`{"user":"ada"}`), Description: new("of the db"), Tags: []types.Tag{{Key: new("team"), Value: new("ml")}},
	}))
	if !regexp.MustCompile(`^arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-[A-Za-z0-9]{6}$`).MatchString(*made.ARN) {
		t.Errorf("arn %s", *made.ARN)
	}
	partial := (*made.ARN)[:len(*made.ARN)-7]
	for _, id := range []string{"prod/db", *made.ARN, partial} {
		got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: &id}))
		equal(t, id, *got.SecretString, `{"user":"ada"}`)
		equal(t, "version", *got.VersionId, *made.VersionId)
		equal(t, "stages", said(got.VersionStages), "[AWSCURRENT]")
	}
	put := done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("prod/db"), SecretBinary: []byte{0, 1, 255}}))
	got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("prod/db")}))
	equal(t, "binary", bytes.Equal(got.SecretBinary, []byte{0, 1, 255}) && got.SecretString == nil, true)
	got = done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("prod/db"), VersionStage: new("AWSPREVIOUS")}))
	equal(t, "previous", *got.SecretString, `{"user":"ada"}`)

	d := done[*secretsmanager.DescribeSecretOutput](t)(h.secrets.DescribeSecret(background, &secretsmanager.DescribeSecretInput{SecretId: new("prod/db")}))
	equal(t, "stages of the old", said(d.VersionIdsToStages[*made.VersionId]), "[AWSPREVIOUS]")
	equal(t, "stages of the new", said(d.VersionIdsToStages[*put.VersionId]), "[AWSCURRENT]")
	equal(t, "shown", *d.Description+*d.Tags[0].Key+*d.Tags[0].Value, "of the dbteamml")
	equal(t, "no key of one's own", d.KmsKeyId == nil && d.DeletedDate == nil && d.RotationEnabled == nil, true)
	equal(t, "read on the day", d.LastAccessedDate.Equal(h.clock.now().UTC().Truncate(24*time.Hour)), true)

	_, err := h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("none")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	_, err = h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("prod/db"), VersionStage: new("x")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: x")
	_, err = h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("prod/db"), VersionId: new(token + "1")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: "+token+"1")
	_, err = h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("prod/db"), VersionId: made.VersionId, VersionStage: new("AWSCURRENT")})
	refused(t, err, "InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	_, err = h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("prod/db"), SecretString: new("x")})
	refused(t, err, "ResourceExistsException", "The operation failed because the secret prod/db already exists.")
	_, err = h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("a b"), SecretString: new("x")})
	refused(t, err, "ValidationException", "Invalid name.")
	_, err = h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("both"), SecretString: new("x"), SecretBinary: []byte("x")})
	refused(t, err, "InvalidParameterException", "You can't specify both a binary secret value and a string secret value")
}

func TestTheSameRequestAgainChangesNothing(t *testing.T) {
	h := open(t, nil)
	create := &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("one"), ClientRequestToken: new(token + "1")}
	first := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, create))
	again := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, create))
	equal(t, "arn", *again.ARN, *first.ARN)
	create.SecretString = new("two")
	_, err := h.secrets.CreateSecret(background, create)
	refused(t, err, "ResourceExistsException", "already exists")

	put := &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: new("two"), ClientRequestToken: new(token + "2")}
	for range 2 {
		done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, put))
	}
	put.SecretString = new("three")
	_, err = h.secrets.PutSecretValue(background, put)
	refused(t, err, "ResourceExistsException", "You can't use ClientRequestToken "+token+"2 because that value is already in use for a version of secret "+*first.ARN+".")
	list := done[*secretsmanager.ListSecretVersionIdsOutput](t)(h.secrets.ListSecretVersionIds(background, &secretsmanager.ListSecretVersionIdsInput{SecretId: new("s")}))
	equal(t, "versions", len(list.Versions), 2)
}

func TestStagingLabelsMove(t *testing.T) {
	h := open(t, nil)
	for n, value := range []string{"one", "two", "three"} {
		if n == 0 {
			done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: &value, ClientRequestToken: new(token + "0")}))
			continue
		}
		done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: &value, ClientRequestToken: new(token + fmt.Sprint(n))}))
	}
	move := func(stage string, from, to *string) error {
		_, err := h.secrets.UpdateSecretVersionStage(background, &secretsmanager.UpdateSecretVersionStageInput{SecretId: new("s"), VersionStage: &stage, RemoveFromVersionId: from, MoveToVersionId: to})
		return err
	}
	refused(t, move("AWSCURRENT", nil, new(token+"0")), "InvalidParameterException",
		"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "+token+"2, so you must explicitly reference that version in RemoveFromVersionId.")
	refused(t, move("AWSCURRENT", new(token+"2"), nil), "InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version.")
	refused(t, move("AWSCURRENT", new(token+"0"), new(token+"1")), "InvalidParameterException", "isn't attached to version")
	refused(t, move("x", nil, new(token+"9")), "ResourceNotFoundException", "can't find the specified secret value for VersionId")
	if err := move("AWSCURRENT", new(token+"2"), new(token+"1")); err != nil {
		t.Fatal(err)
	}
	if err := move("mine", nil, new(token+"0")); err != nil {
		t.Fatal(err)
	}
	d := done[*secretsmanager.DescribeSecretOutput](t)(h.secrets.DescribeSecret(background, &secretsmanager.DescribeSecretInput{SecretId: new("s")}))
	equal(t, "stages", said(d.VersionIdsToStages), said(map[string][]string{token + "0": {"mine"}, token + "1": {"AWSCURRENT"}, token + "2": {"AWSPREVIOUS"}}))
	if err := move("mine", new(token+"0"), nil); err != nil {
		t.Fatal(err)
	}
	list := done[*secretsmanager.ListSecretVersionIdsOutput](t)(h.secrets.ListSecretVersionIds(background, &secretsmanager.ListSecretVersionIdsInput{SecretId: new("s"), IncludeDeprecated: new(true), MaxResults: new(int32(1))}))
	equal(t, "the deprecated one is first", *list.Versions[0].VersionId+said(list.Versions[0].VersionStages), token+"0[]")
	list = done[*secretsmanager.ListSecretVersionIdsOutput](t)(h.secrets.ListSecretVersionIds(background, &secretsmanager.ListSecretVersionIdsInput{SecretId: new("s"), IncludeDeprecated: new(true), NextToken: list.NextToken}))
	equal(t, "two more", len(list.Versions), 2)
}

func TestOldVersionsGo(t *testing.T) {
	h := open(t, nil)
	done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("0")}))
	for n := range 104 {
		done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: new(fmt.Sprint(n + 1))}))
	}
	equal(t, "values kept", store.SecretValues.Len(h.store.View()), 100)
	got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")}))
	equal(t, "value", *got.SecretString, "104")
}

func TestDeletionAndRestoration(t *testing.T) {
	h := open(t, nil)
	create := func() {
		t.Helper()
		done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v")}))
	}
	get := func() error {
		_, err := h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")})
		return err
	}
	create()
	_, err := h.secrets.DeleteSecret(background, &secretsmanager.DeleteSecretInput{SecretId: new("s"), RecoveryWindowInDays: new(int64(6))})
	refused(t, err, "InvalidParameterException", "between 7 and 30 days (inclusive)")
	_, err = h.secrets.DeleteSecret(background, &secretsmanager.DeleteSecretInput{SecretId: new("s"), RecoveryWindowInDays: new(int64(7)), ForceDeleteWithoutRecovery: new(true)})
	refused(t, err, "InvalidParameterException", "in conjunction with RecoveryWindowInDays")
	out := done[*secretsmanager.DeleteSecretOutput](t)(h.secrets.DeleteSecret(background, &secretsmanager.DeleteSecretInput{SecretId: new("s"), RecoveryWindowInDays: new(int64(7))}))
	equal(t, "in a week", out.DeletionDate.After(time.Now().Add(6*24*time.Hour)), true)
	refused(t, get(), "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	_, err = h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v")})
	refused(t, err, "InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
	list := done[*secretsmanager.ListSecretsOutput](t)(h.secrets.ListSecrets(background, nil))
	equal(t, "listed", len(list.SecretList), 0)
	list = done[*secretsmanager.ListSecretsOutput](t)(h.secrets.ListSecrets(background, &secretsmanager.ListSecretsInput{IncludePlannedDeletion: new(true)}))
	equal(t, "listed as planned", len(list.SecretList), 1)
	done[*secretsmanager.RestoreSecretOutput](t)(h.secrets.RestoreSecret(background, &secretsmanager.RestoreSecretInput{SecretId: new("s")}))
	if err := get(); err != nil {
		t.Fatal(err)
	}
	done[*secretsmanager.DeleteSecretOutput](t)(h.secrets.DeleteSecret(background, &secretsmanager.DeleteSecretInput{SecretId: new("s"), ForceDeleteWithoutRecovery: new(true)}))
	refused(t, get(), "ResourceNotFoundException", "can't find")
	equal(t, "values left", store.SecretValues.Len(h.store.View()), 0)
	done[*secretsmanager.DeleteSecretOutput](t)(h.secrets.DeleteSecret(background, &secretsmanager.DeleteSecretInput{SecretId: new("s"), ForceDeleteWithoutRecovery: new(true)}))
	create()
}

func TestListingSecrets(t *testing.T) {
	h := open(t, nil)
	for n, name := range []string{"zoo/a", "ant/b", "bee", "cat"} {
		done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{
			Name: &name, SecretString: new("v" + name), Description: new("The " + name), Tags: []types.Tag{{Key: new("n"), Value: new(fmt.Sprint(n))}},
		}))
	}
	names := func(in *secretsmanager.ListSecretsInput) string {
		t.Helper()
		var all []string
		pages := secretsmanager.NewListSecretsPaginator(h.secrets, in)
		for pages.HasMorePages() {
			for _, s := range done[*secretsmanager.ListSecretsOutput](t)(pages.NextPage(background)).SecretList {
				all = append(all, *s.Name)
			}
		}
		return strings.Join(all, " ")
	}
	filter := func(key types.FilterNameStringType, values ...string) *secretsmanager.ListSecretsInput {
		return &secretsmanager.ListSecretsInput{Filters: []types.Filter{{Key: key, Values: values}}}
	}
	for _, c := range []struct {
		name, want string
		in         *secretsmanager.ListSecretsInput
	}{
		{"by creation, in pages", "zoo/a ant/b bee cat", &secretsmanager.ListSecretsInput{MaxResults: new(int32(1))}},
		{"down, in pages", "cat bee ant/b zoo/a", &secretsmanager.ListSecretsInput{MaxResults: new(int32(3)), SortOrder: types.SortOrderTypeDesc}},
		{"by name", "ant/b bee cat zoo/a", &secretsmanager.ListSecretsInput{SortBy: types.SortByTypeName}},
		{"name", "zoo/a ant/b", filter("name", "zoo/", "ant")},
		{"not the name", "bee cat", filter("name", "!zoo/", "!ant")},
		{"description", "bee", filter("description", "the BEE")},
		{"tag", "cat", filter("tag-value", "3")},
		{"tag key", "zoo/a ant/b bee cat", filter("tag-key", "n")},
		{"all", "cat", filter("all", "CAT")},
	} {
		equal(t, c.name, names(c.in), c.want)
	}
	_, err := h.secrets.ListSecrets(background, &secretsmanager.ListSecretsInput{NextToken: new("!")})
	refused(t, err, "InvalidNextTokenException", "NextToken")

	batch := done[*secretsmanager.BatchGetSecretValueOutput](t)(h.secrets.BatchGetSecretValue(background, &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"bee", "none"}}))
	equal(t, "value", *batch.SecretValues[0].SecretString, "vbee")
	equal(t, "error", *batch.Errors[0].SecretId+*batch.Errors[0].ErrorCode, "noneResourceNotFoundException")
	batch = done[*secretsmanager.BatchGetSecretValueOutput](t)(h.secrets.BatchGetSecretValue(background, &secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{{Key: "name", Values: []string{"a", "b", "c"}}}, MaxResults: new(int32(2))}))
	equal(t, "a page", said(len(batch.SecretValues), batch.NextToken != nil), "2 true")
}

func TestUpdateSecretAndTags(t *testing.T) {
	h := open(t, nil)
	done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s")}))
	_, err := h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")})
	refused(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	out := done[*secretsmanager.UpdateSecretOutput](t)(h.secrets.UpdateSecret(background, &secretsmanager.UpdateSecretInput{SecretId: new("s"), Description: new("d")}))
	equal(t, "no version", out.VersionId == nil, true)
	out = done[*secretsmanager.UpdateSecretOutput](t)(h.secrets.UpdateSecret(background, &secretsmanager.UpdateSecretInput{SecretId: new("s"), SecretString: new("v")}))
	equal(t, "version", out.VersionId != nil, true)
	done[*secretsmanager.TagResourceOutput](t)(h.secrets.TagResource(background, &secretsmanager.TagResourceInput{SecretId: new("s"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	done[*secretsmanager.UntagResourceOutput](t)(h.secrets.UntagResource(background, &secretsmanager.UntagResourceInput{SecretId: new("s"), TagKeys: []string{"a"}}))
	d := done[*secretsmanager.DescribeSecretOutput](t)(h.secrets.DescribeSecret(background, &secretsmanager.DescribeSecretInput{SecretId: new("s")}))
	equal(t, "shown", *d.Description+*d.Tags[0].Key, "db")
	tags, ok := store.ResourceTags(h.store.View(), *d.ARN)
	equal(t, "tags by ARN", said(tags, ok), "[{b 2}] true")
}

func TestResourcePolicies(t *testing.T) {
	h := open(t, nil)
	made := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v")}))
	const good = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	const public = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
	put := func(text string, block bool) error {
		_, err := h.secrets.PutResourcePolicy(background, &secretsmanager.PutResourcePolicyInput{SecretId: new("s"), ResourcePolicy: &text, BlockPublicPolicy: &block})
		return err
	}
	if err := put(good, true); err != nil {
		t.Fatal(err)
	}
	text, ok := store.ResourcePolicy(h.store.View(), *made.ARN)
	equal(t, "by ARN", text, good)
	equal(t, "found", ok, true)
	refused(t, put(public, true), "PublicPolicyException", "did not prevent broad access")
	refused(t, put("{", false), "MalformedPolicyDocumentException", "This resource policy contains")
	if err := put(public, false); err != nil {
		t.Fatal(err)
	}
	got := done[*secretsmanager.GetResourcePolicyOutput](t)(h.secrets.GetResourcePolicy(background, &secretsmanager.GetResourcePolicyInput{SecretId: new("s")}))
	equal(t, "policy", *got.ResourcePolicy, public)
	valid := done[*secretsmanager.ValidateResourcePolicyOutput](t)(h.secrets.ValidateResourcePolicy(background, &secretsmanager.ValidateResourcePolicyInput{ResourcePolicy: new(public)}))
	equal(t, "passed", valid.PolicyValidationPassed, false)
	done[*secretsmanager.DeleteResourcePolicyOutput](t)(h.secrets.DeleteResourcePolicy(background, &secretsmanager.DeleteResourcePolicyInput{SecretId: new("s")}))
	got = done[*secretsmanager.GetResourcePolicyOutput](t)(h.secrets.GetResourcePolicy(background, &secretsmanager.GetResourcePolicyInput{SecretId: new("s")}))
	equal(t, "gone", got.ResourcePolicy == nil, true)
}

func TestRandomPasswords(t *testing.T) {
	h := open(t, nil)
	password := func(in *secretsmanager.GetRandomPasswordInput) string {
		t.Helper()
		return *done[*secretsmanager.GetRandomPasswordOutput](t)(h.secrets.GetRandomPassword(background, in)).RandomPassword
	}
	seen := map[string]bool{}
	for range 50 {
		seen[password(nil)] = true
	}
	lengths := map[int]bool{}
	for p := range seen {
		lengths[len(p)] = true
		for _, set := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"} {
			equal(t, "each kind in "+p, strings.ContainsAny(p, set), true)
		}
	}
	equal(t, "different, of 32", said(len(seen), slices.Collect(maps.Keys(lengths))), "50 [32]")
	equal(t, "digits", regexp.MustCompile(`^[0-8]{100}$`).MatchString(password(&secretsmanager.GetRandomPasswordInput{
		PasswordLength: new(int64(100)), ExcludeLowercase: new(true), ExcludeUppercase: new(true), ExcludePunctuation: new(true), ExcludeCharacters: new("9"),
	})), true)
	_, err := h.secrets.GetRandomPassword(background, &secretsmanager.GetRandomPasswordInput{PasswordLength: new(int64(3))})
	refused(t, err, "InvalidParameterException", "too short")
}

func TestReplicationIsRefused(t *testing.T) {
	h := open(t, nil)
	_, err := h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v"), AddReplicaRegions: []types.ReplicaRegionType{{Region: new("eu-west-1")}}})
	refused(t, err, "InvalidRequestException", "create the secret in each region")
}

// A watcher of the secrets finds a new value by the version under AWSCURRENT.
func TestAWatcherSeesANewValue(t *testing.T) {
	h := open(t, nil)
	made := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v")}))
	_, watch := h.store.Watch(store.Secrets.Topic())
	defer watch.Close()
	put := done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("s"), SecretString: new("w")}))
	<-watch.Ready()
	for _, e := range watch.Take().Events {
		old, next, _ := store.Secrets.Of(e)
		before, _ := old.Staged("AWSCURRENT")
		after, _ := next.Staged("AWSCURRENT")
		equal(t, "from and to", before.ID+after.ID, *made.VersionId+*put.VersionId)
	}
}
