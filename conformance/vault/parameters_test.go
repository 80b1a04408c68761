package vault_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/store"
)

var gatewayScope = gatewaytest.Scope

// put stores a String, or what change makes of it.
func (h *house) put(name, value string, change func(*ssm.PutParameterInput)) error {
	in := &ssm.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString}
	if change != nil {
		change(in)
	}
	_, err := h.params.PutParameter(background, in)
	return err
}

func overwrite(in *ssm.PutParameterInput) { in.Overwrite = new(true) }

func (h *house) param(name string) (*types.Parameter, error) {
	out, err := h.params.GetParameter(background, &ssm.GetParameterInput{Name: &name, WithDecryption: new(true)})
	if err != nil {
		return nil, err
	}
	return out.Parameter, nil
}

func TestAParametersLife(t *testing.T) {
	h := open(t, nil)
	out := done[*ssm.PutParameterOutput](t)(h.params.PutParameter(background, &ssm.PutParameterInput{
		Name: new("/prod/db/password"), Value: new("hush"), Type: types.ParameterTypeSecureString, Tags: []types.Tag{{Key: new("team"), Value: new("ml")}},
	}))
	equal(t, "put", said(out.Version, out.Tier), "1 Standard")
	p := done[*types.Parameter](t)(h.param("/prod/db/password"))
	equal(t, "value", *p.Value, "hush")
	equal(t, "arn", *p.ARN, "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/password")
	equal(t, "facts", said(p.Type, p.Version, *p.DataType), "SecureString 1 text")
	sealed := done[*ssm.GetParameterOutput](t)(h.params.GetParameter(background, &ssm.GetParameterInput{Name: new("/prod/db/password")}))
	equal(t, "sealed", *sealed.Parameter.Value != "" && !strings.Contains(*sealed.Parameter.Value, "hush"), true)

	refused(t, h.put("/prod/db/password", "x", nil), "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	refused(t, h.put("/prod/db/password", "x", overwrite), "HierarchyTypeMismatchException", "doesn't support changing a parameter type")
	if err := h.put("/prod/db/password", "new", func(in *ssm.PutParameterInput) { in.Type, in.Overwrite = "", new(true) }); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/prod/db/password": "new", "/prod/db/password:1": "hush", "/prod/db/password:2": "new",
		"arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/password": "new", "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/password:1": "hush",
	} {
		equal(t, name, *done[*types.Parameter](t)(h.param(name)).Value, want)
	}
	_, err := h.param("/prod/db/password:3")
	refused(t, err, "ParameterVersionNotFound", "Systems Manager could not find version 3 of /prod/db/password. Verify the version and try again.")
	_, err = h.param("/none")
	refused(t, err, "ParameterNotFound", "")
	many := done[*ssm.GetParametersOutput](t)(h.params.GetParameters(background, &ssm.GetParametersInput{Names: []string{"/none", "/prod/db/password:1"}, WithDecryption: new(true)}))
	equal(t, "several", said(many.InvalidParameters, *many.Parameters[0].Value, *many.Parameters[0].Selector), "[/none] hush :1")

	history := done[*ssm.GetParameterHistoryOutput](t)(h.params.GetParameterHistory(background, &ssm.GetParameterHistoryInput{Name: new("/prod/db/password"), WithDecryption: new(true)}))
	equal(t, "history", said(*history.Parameters[0].Value, *history.Parameters[1].Value, *history.Parameters[0].KeyId, *history.Parameters[1].LastModifiedUser), "hush new alias/aws/ssm arn:aws:iam::123456789012:root")
	deleted := done[*ssm.DeleteParametersOutput](t)(h.params.DeleteParameters(background, &ssm.DeleteParametersInput{Names: []string{"/prod/db/password", "/none"}}))
	equal(t, "deleted", said(deleted.DeletedParameters, deleted.InvalidParameters), "[/prod/db/password] [/none]")
	equal(t, "left", store.Editions.Len(h.store.View()), 0)
	_, err = h.params.DeleteParameter(background, &ssm.DeleteParameterInput{Name: new("/none")})
	refused(t, err, "ParameterNotFound", "")
}

func TestWhatParametersMayBe(t *testing.T) {
	h := open(t, nil)
	deep := strings.Repeat("/a", 16)
	for _, c := range []struct {
		name, value string
		change      func(*ssm.PutParameterInput)
		kind, words string
	}{
		{"/aws/x", "v", nil, "AccessDeniedException", "No access to reserved parameter name: /aws/x."},
		{"awsTest", "v", nil, "ValidationException", "can't be prefixed with"},
		{"SSM-x", "v", nil, "ValidationException", "can't be prefixed with"},
		{"a/b", "v", nil, "ValidationException", "Parameter name must be a fully qualified name."},
		{"/a b", "v", nil, "ValidationException", "Parameter name:"},
		{deep, "v", nil, "HierarchyLevelLimitExceededException", "fifteen levels"},
		{"untyped", "v", func(in *ssm.PutParameterInput) { in.Type = "" }, "ValidationException", "A parameter type is required when you create a parameter."},
		{"long", strings.Repeat("v", 4097), nil, "ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters."},
		{"longer", strings.Repeat("v", 8193), func(in *ssm.PutParameterInput) { in.Tier = types.ParameterTierAdvanced }, "ValidationException", "8192"},
		{"pattern", "v", func(in *ssm.PutParameterInput) { in.AllowedPattern = new(`^\d+$`) }, "ParameterPatternMismatchException", "cannot be validated against allowedPattern"},
		{"regexp", "v", func(in *ssm.PutParameterInput) { in.AllowedPattern = new(`(`) }, "InvalidAllowedPatternException", ""},
		{"kind", "v", func(in *ssm.PutParameterInput) { in.DataType = new("x") }, "ValidationException", "The following data type is not supported: x"},
		{"key", "v", func(in *ssm.PutParameterInput) { in.KeyId = new("alias/x") }, "ValidationException", "KeyId is required for SecureString type parameter only."},
		{"nokey", "v", func(in *ssm.PutParameterInput) {
			in.KeyId, in.Type = new("alias/x"), types.ParameterTypeSecureString
		}, "InvalidKeyId", "alias/x"},
		{"both", "v", func(in *ssm.PutParameterInput) {
			in.Overwrite, in.Tags = new(true), []types.Tag{{Key: new("a"), Value: new("b")}}
		}, "ValidationException", "tags and overwrite can't be used together"},
		{"policies", "v", func(in *ssm.PutParameterInput) { in.Policies = new(`[{"Type":"Expiration"}]`) }, "ValidationException", "only available to advanced parameters"},
		{"badpolicy", "v", func(in *ssm.PutParameterInput) {
			in.Policies, in.Tier = new(`[{"Type":"Expiration"}]`), types.ParameterTierAdvanced
		}, "InvalidPolicyAttributeException", ""},
		{"nopolicy", "v", func(in *ssm.PutParameterInput) {
			in.Policies, in.Tier = new(`[{"Type":"X"}]`), types.ParameterTierAdvanced
		}, "InvalidPolicyTypeException", ""},
	} {
		refused(t, h.put(c.name, c.value, c.change), c.kind, c.words)
	}
	equal(t, "none was stored", store.Parameters.Len(h.store.View()), 0)
}

func TestTiers(t *testing.T) {
	h := open(t, nil)
	put := func(value string, tier types.ParameterTier) types.ParameterTier {
		t.Helper()
		return done[*ssm.PutParameterOutput](t)(h.params.PutParameter(background, &ssm.PutParameterInput{
			Name: new("p"), Value: &value, Type: types.ParameterTypeString, Tier: tier, Overwrite: new(true),
		})).Tier
	}
	equal(t, "short", put("v", types.ParameterTierIntelligentTiering), types.ParameterTierStandard)
	equal(t, "long", put(strings.Repeat("v", 4097), types.ParameterTierIntelligentTiering), types.ParameterTierAdvanced)
	equal(t, "kept", put("v", ""), types.ParameterTierAdvanced)
	refused(t, h.put("p", "v", func(in *ssm.PutParameterInput) { in.Overwrite, in.Tier = new(true), types.ParameterTierStandard }), "ValidationException", "You can't downgrade a parameter")
}

func TestAParameterExpires(t *testing.T) {
	h := open(t, nil)
	at := time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)
	put := func() error {
		return h.put("p", "v", func(in *ssm.PutParameterInput) {
			in.Tier, in.Policies = types.ParameterTierAdvanced, new(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"`+at+`"}},{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Days"}}]`)
		})
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	list := done[*ssm.DescribeParametersOutput](t)(h.params.DescribeParameters(background, nil))
	equal(t, "policies", said(len(list.Parameters[0].Policies), *list.Parameters[0].Policies[0].PolicyType), "2 Expiration")
	h.clock.add(10 * time.Minute) // signatures hold for a quarter of an hour
	_, err := h.param("p")
	refused(t, err, "ParameterNotFound", "")
	if err := h.put("p", "again", nil); err != nil {
		t.Errorf("the name is not free: %v", err)
	}
}

func TestVersionsAndLabels(t *testing.T) {
	h := open(t, nil)
	for n := range 3 {
		if err := h.put("p", fmt.Sprint(n+1), overwrite); err != nil {
			t.Fatal(err)
		}
	}
	label := func(version int64, labels ...string) *ssm.LabelParameterVersionOutput {
		t.Helper()
		return done[*ssm.LabelParameterVersionOutput](t)(h.params.LabelParameterVersion(background, &ssm.LabelParameterVersionInput{Name: new("p"), ParameterVersion: &version, Labels: labels}))
	}
	got := label(1, "old", "9bad", "aws-x", "ssmx")
	equal(t, "labelled", said(got.ParameterVersion, got.InvalidLabels), "1 [9bad aws-x ssmx]")
	equal(t, "by label", *done[*types.Parameter](t)(h.param("p:old")).Value, "1")
	label(2, "old")
	equal(t, "moved", *done[*types.Parameter](t)(h.param("p:old")).Value, "2")
	_, err := h.params.LabelParameterVersion(background, &ssm.LabelParameterVersionInput{Name: new("p"), ParameterVersion: new(int64(2)), Labels: strings.Split("a b c d e f g h i j", " ")})
	refused(t, err, "ParameterVersionLabelLimitExceeded", "A parameter version can have maximum 10 labels.")
	gone := done[*ssm.UnlabelParameterVersionOutput](t)(h.params.UnlabelParameterVersion(background, &ssm.UnlabelParameterVersionInput{Name: new("p"), ParameterVersion: new(int64(2)), Labels: []string{"old", "x"}}))
	equal(t, "unlabelled", said(gone.RemovedLabels, gone.InvalidLabels), "[old] [x]")
	_, err = h.param("p:old")
	refused(t, err, "ParameterVersionNotFound", "could not find version old of p")

	label(1, "first")
	for n := 3; n < 100; n++ {
		if err := h.put("p", fmt.Sprint(n+1), overwrite); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, h.put("p", "x", overwrite), "ParameterMaxVersionLimitExceeded", "Version 1, the oldest version, can't be deleted because it has a label")
	label(100, "first")
	if err := h.put("p", "101", overwrite); err != nil {
		t.Fatal(err)
	}
	_, err = h.param("p:1")
	refused(t, err, "ParameterVersionNotFound", "")
	pages, versions := ssm.NewGetParameterHistoryPaginator(h.params, &ssm.GetParameterHistoryInput{Name: new("p")}), 0
	for pages.HasMorePages() {
		versions += len(done[*ssm.GetParameterHistoryOutput](t)(pages.NextPage(background)).Parameters)
	}
	equal(t, "versions", versions, 100)
}

func TestPathsAndFilters(t *testing.T) {
	h := open(t, nil)
	for _, name := range []string{"/a/b/c", "/a/b/d", "/a/x", "/ab/c", "plain"} {
		if err := h.put(name, "v"+name, func(in *ssm.PutParameterInput) {
			in.Tags = []types.Tag{{Key: new("last"), Value: new(name[len(name)-1:])}}
			if name == "/a/x" {
				in.Type = types.ParameterTypeSecureString
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	byPath := func(path string, recursive bool) (all string) {
		t.Helper()
		pages := ssm.NewGetParametersByPathPaginator(h.params, &ssm.GetParametersByPathInput{Path: &path, Recursive: &recursive, WithDecryption: new(true), MaxResults: new(int32(1))})
		for pages.HasMorePages() {
			for _, p := range done[*ssm.GetParametersByPathOutput](t)(pages.NextPage(background)).Parameters {
				equal(t, "value", *p.Value, "v"+*p.Name)
				all += *p.Name + " "
			}
		}
		return all
	}
	equal(t, "one level", byPath("/a", false), "/a/x ")
	equal(t, "all", byPath("/a/", true), "/a/b/c /a/b/d /a/x ")
	equal(t, "root", byPath("/", false), "plain ")
	_, err := h.params.GetParametersByPath(background, &ssm.GetParametersByPathInput{Path: new("a")})
	refused(t, err, "ValidationException", "must begin with a forward slash")
	_, err = h.params.GetParametersByPath(background, &ssm.GetParametersByPathInput{Path: new("/a"), ParameterFilters: []types.ParameterStringFilter{{Key: new("Name"), Values: []string{"x"}}}})
	refused(t, err, "InvalidFilterKey", "" /* its model has no message */)

	describe := func(key, option string, values ...string) (all string) {
		t.Helper()
		f := types.ParameterStringFilter{Key: &key, Values: values}
		if option != "" {
			f.Option = &option
		}
		out := done[*ssm.DescribeParametersOutput](t)(h.params.DescribeParameters(background, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{f}}))
		for _, p := range out.Parameters {
			all += *p.Name + " "
		}
		return all
	}
	equal(t, "equals", describe("Name", "", "/a/x", "plain"), "/a/x plain ")
	equal(t, "begins", describe("Name", "BeginsWith", "/a/b"), "/a/b/c /a/b/d ")
	equal(t, "contains", describe("Name", "Contains", "b"), "/a/b/c /a/b/d /ab/c ")
	equal(t, "type", describe("Type", "", "SecureString"), "/a/x ")
	equal(t, "path", describe("Path", "Recursive", "/a/b"), "/a/b/c /a/b/d ")
	equal(t, "tag", describe("tag:last", "", "c"), "/a/b/c /ab/c ")
	equal(t, "key", describe("KeyId", "", "alias/aws/ssm"), "/a/x ")
}

func TestTagsOfParameters(t *testing.T) {
	h := open(t, nil)
	if err := h.put("/p", "v", nil); err != nil {
		t.Fatal(err)
	}
	kind := types.ResourceTypeForTaggingParameter
	done[*ssm.AddTagsToResourceOutput](t)(h.params.AddTagsToResource(background, &ssm.AddTagsToResourceInput{ResourceType: kind, ResourceId: new("/p"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	done[*ssm.RemoveTagsFromResourceOutput](t)(h.params.RemoveTagsFromResource(background, &ssm.RemoveTagsFromResourceInput{ResourceType: kind, ResourceId: new("/p"), TagKeys: []string{"a"}}))
	list := done[*ssm.ListTagsForResourceOutput](t)(h.params.ListTagsForResource(background, &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: new("/p")}))
	equal(t, "tags", said(len(list.TagList), *list.TagList[0].Key), "1 b")
	tags, ok := store.ResourceTags(h.store.View(), "arn:aws:ssm:eu-central-1:123456789012:parameter/p")
	equal(t, "by ARN", said(tags, ok), "[{b 2}] true")
	_, err := h.params.ListTagsForResource(background, &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: new("/none")})
	refused(t, err, "InvalidResourceId", "")
}

func TestPublicParameters(t *testing.T) {
	h := open(t, nil)
	seen := map[string]bool{}
	for _, path := range []string{"amazon-linux-2/recommended", "amazon-linux-2023/recommended", "amazon-linux-2/gpu/recommended", "amazon-linux-2/arm64/recommended", "amazon-linux-2023/gpu/recommended"} {
		whole := done[*types.Parameter](t)(h.param("/aws/service/ecs/optimized-ami/" + path))
		var said struct {
			ImageID string `json:"image_id"`
		}
		if err := json.Unmarshal([]byte(*whole.Value), &said); err != nil || !regexp.MustCompile(`^ami-[0-9a-f]{17}$`).MatchString(said.ImageID) {
			t.Errorf("%s: %s", path, *whole.Value)
		}
		id := done[*types.Parameter](t)(h.param("/aws/service/ecs/optimized-ami/" + path + "/image_id"))
		equal(t, path, *id.Value, said.ImageID)
		seen[said.ImageID] = true
	}
	rocket := done[*types.Parameter](t)(h.param("/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id"))
	seen[*rocket.Value] = true
	equal(t, "different", len(seen), 6)
	list := done[*ssm.GetParametersByPathOutput](t)(h.params.GetParametersByPath(background, &ssm.GetParametersByPathInput{Path: new("/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended")}))
	equal(t, "below a path", said(len(list.Parameters), *list.Parameters[0].ARN), "7 arn:aws:ssm:eu-central-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/ecs_agent_version")
	_, err := h.param("/aws/service/other")
	refused(t, err, "ParameterNotFound", "")
}

func TestAParameterMayMeanASecret(t *testing.T) {
	h := open(t, nil)
	made := done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("prod/db"), SecretString: new("hush")}))
	p := done[*types.Parameter](t)(h.param("/aws/reference/secretsmanager/prod/db"))
	equal(t, "value", *p.Value, "hush")
	equal(t, "facts", said(*p.Name, p.Type, *p.ARN, p.Version), "/aws/reference/secretsmanager/prod/db SecureString "+*made.ARN+" 0")
	equal(t, "source", strings.Contains(*p.SourceResult, *made.VersionId) && !strings.Contains(*p.SourceResult, "hush"), true)
	_, err := h.params.GetParameter(background, &ssm.GetParameterInput{Name: new("/aws/reference/secretsmanager/prod/db")})
	refused(t, err, "ValidationException", "WithDecryption flag must be True")
	_, err = h.param("/aws/reference/secretsmanager/none")
	refused(t, err, "ParameterNotFound", "")
}
