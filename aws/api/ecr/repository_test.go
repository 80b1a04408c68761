package ecr_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/identity"
)

func TestRepositoryComesAndGoes(t *testing.T) {
	s := start(t)
	host := strings.TrimPrefix(s.URL, "http://")
	made := s.do("CreateRepository", `{"repositoryName": "team/app", "tags": [{"Key": "k", "Value": "v"}]}`)["repository"].(object)
	delete(made, "createdAt")
	want := `{"encryptionConfiguration":{"encryptionType":"AES256"},"imageScanningConfiguration":{"scanOnPush":false},"imageTagMutability":"MUTABLE",` +
		`"registryId":"123456789012","repositoryArn":"arn:aws:ecr:eu-central-1:123456789012:repository/team/app","repositoryName":"team/app","repositoryUri":"` + host + `/123456789012/team/app"}`
	if got := text(made); got != want {
		t.Errorf("created\n%s, want\n%s", got, want)
	}
	s.refused("CreateRepository", `{"repositoryName": "team/app"}`, "RepositoryAlreadyExistsException",
		"The repository with name 'team/app' already exists in the registry with id '123456789012'")
	s.refused("DescribeRepositories", `{"repositoryNames": ["none"]}`, "RepositoryNotFoundException",
		"The repository with name 'none' does not exist in the registry with id '123456789012'")
	s.refused("DescribeRepositories", `{"registryId": "999999999999"}`, "AccessDeniedException", "User: arn:aws:iam::123456789012:root is not authorized to perform: ecr:DescribeRepositories")
	s.refused("CreateRepository", `{"repositoryName": "Upper"}`, "InvalidParameterException", "Invalid parameter at 'repositoryName'")

	s.push("team/app:v1", randomImage(t))
	s.refused("DeleteRepository", `{"repositoryName": "team/app"}`, "RepositoryNotEmptyException",
		"The repository with name 'team/app' in registry with id '123456789012' cannot be deleted because it still contains images")
	s.do("DeleteRepository", `{"repositoryName": "team/app", "force": true}`)
	s.refused("ListImages", `{"repositoryName": "team/app"}`, "RepositoryNotFoundException", "")
	s.do("CreateRepository", `{"repositoryName": "team/app"}`)
	if got := text(s.do("ListImages", `{"repositoryName": "team/app"}`)["imageIds"]); got != "[]" {
		t.Errorf("a new repository of an old name holds %s", got)
	}
}

func TestRepositoriesComeInPages(t *testing.T) {
	s := start(t)
	for _, name := range []string{"cc", "aa", "dd", "bb"} {
		s.do("CreateRepository", `{"repositoryName": "%s"}`, name)
	}
	var names []string
	token := ""
	for {
		page := s.do("DescribeRepositories", `{"maxResults": 3, "nextToken": "%s"}`, token)
		for _, r := range page["repositories"].([]any) {
			names = append(names, r.(object)["repositoryName"].(string))
		}
		next, more := page["nextToken"].(string)
		if !more {
			break
		}
		token = next
	}
	if got := strings.Join(names, " "); got != "aa bb cc dd" {
		t.Errorf("got %s", got)
	}
	s.refused("DescribeRepositories", `{"nextToken": "%"}`, "InvalidParameterException", "Invalid parameter at 'nextToken'")
}

func TestSettings(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	s.do("PutImageScanningConfiguration", `{"repositoryName": "app", "imageScanningConfiguration": {"scanOnPush": true}}`)
	s.do("PutImageTagMutability", `{"repositoryName": "app", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}]}`)
	r := s.do("DescribeRepositories", `{}`)["repositories"].([]any)[0].(object)
	if got := text(r["imageScanningConfiguration"]) + text(r["imageTagMutability"]) + text(r["imageTagMutabilityExclusionFilters"]); got != `{"scanOnPush":true}"IMMUTABLE_WITH_EXCLUSION"[{"filter":"dev-*","filterType":"WILDCARD"}]` {
		t.Error(got)
	}
	s.refused("PutImageTagMutability", `{"repositoryName": "app", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}`, "InvalidParameterException", "Invalid parameter at 'imageTagMutabilityExclusionFilters'")
	s.refused("PutImageTagMutability", `{"repositoryName": "app", "imageTagMutability": "MUTABLE", "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a"}]}`, "InvalidParameterException", "Invalid parameter at 'imageTagMutabilityExclusionFilters'")

	s.refused("GetRepositoryPolicy", `{"repositoryName": "app"}`, "RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'")
	s.refused("SetRepositoryPolicy", `{"repositoryName": "app", "policyText": "{"}`, "InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	policy := `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"ecr:BatchGetImage\"}]}`
	s.do("SetRepositoryPolicy", `{"repositoryName": "app", "policyText": "`+policy+`"}`)
	if got := s.do("GetRepositoryPolicy", `{"repositoryName": "app"}`)["policyText"]; got != strings.ReplaceAll(policy, `\`, "") {
		t.Error(got)
	}
	s.do("DeleteRepositoryPolicy", `{"repositoryName": "app"}`)
	s.refused("DeleteRepositoryPolicy", `{"repositoryName": "app"}`, "RepositoryPolicyNotFoundException", "")
	if got := text(s.do("DescribeRegistry", `{}`)); got != `{"registryId":"123456789012","replicationConfiguration":{"rules":[]}}` {
		t.Error(got)
	}
}

func TestTags(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "team/app", "tags": [{"Key": "b", "Value": "1"}]}`)
	const arn = "arn:aws:ecr:eu-central-1:123456789012:repository/team/app"
	s.do("TagResource", `{"resourceArn": "%s", "tags": [{"Key": "a", "Value": "2"}, {"Key": "c", "Value": "3"}]}`, arn)
	s.do("UntagResource", `{"resourceArn": "%s", "tagKeys": ["c"]}`, arn)
	if got := text(s.do("ListTagsForResource", `{"resourceArn": "%s"}`, arn)["tags"]); got != `[{"Key":"a","Value":"2"},{"Key":"b","Value":"1"}]` {
		t.Error(got)
	}
	s.refused("TagResource", `{"resourceArn": "`+arn+`", "tags": [{"Key": "aws:x", "Value": ""}]}`, "InvalidTagParameterException", "Invalid parameter at 'tags'")
	s.refused("ListTagsForResource", `{"resourceArn": "app"}`, "InvalidParameterException", "Invalid parameter at 'resourceArn'")
	s.refused("ListTagsForResource", `{"resourceArn": "`+arn+`2"}`, "RepositoryNotFoundException", "")
	var many []string
	for i := range 50 {
		many = append(many, `{"Key": "k`+strings.Repeat("x", i)+`", "Value": ""}`)
	}
	s.refused("TagResource", `{"resourceArn": "`+arn+`", "tags": [`+strings.Join(many, ",")+`]}`, "TooManyTagsException", "")
}

// A token is for docker login, lasts 12 hours, and no longer than the keys that
// asked for it.
func TestAuthorizationToken(t *testing.T) {
	s := start(t)
	data := s.do("GetAuthorizationToken", `{}`)["authorizationData"].([]any)
	if len(data) != 1 {
		t.Fatalf("%d tokens", len(data))
	}
	d := data[0].(object)
	if d["proxyEndpoint"] != s.URL {
		t.Errorf("endpoint %v", d["proxyEndpoint"])
	}
	if left := time.Until(time.UnixMilli(int64(d["expiresAt"].(float64) * 1000))); left < 12*time.Hour-time.Minute || left > 12*time.Hour {
		t.Errorf("lasts %v", left)
	}
	raw, err := base64.StdEncoding.DecodeString(d["authorizationToken"].(string))
	if err != nil {
		t.Fatal(err)
	}
	password, ok := strings.CutPrefix(string(raw), "AWS:")
	if !ok {
		t.Fatalf("not of user AWS: %s", raw)
	}
	if got := s.reach("/v2/", password); got != http.StatusOK {
		t.Errorf("the registry answers %d", got)
	}
	if n := len(s.do("GetAuthorizationToken", `{"registryIds": ["123456789012", "999999999999"]}`)["authorizationData"].([]any)); n != 2 {
		t.Errorf("%d tokens for two registries", n)
	}

	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	s.Root = s.AddKey(t, identity.AccessKey{ID: "ASIASHORT", Secret: "secret", SessionToken: "session", Principal: s.Root.Principal, Active: true, ExpiresAt: soon})
	short := s.as(s.Root, "GetAuthorizationToken", `{}`)["authorizationData"].([]any)[0].(object)
	if got := int64(short["expiresAt"].(float64)); got != soon.Unix() {
		t.Errorf("of a session: ends at %d, the session at %d", got, soon.Unix())
	}
}

// reach asks the registry for a path with a token and returns the status.
func (s *server) reach(path, password string) int {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth("AWS", password)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	reply.Body.Close()
	return reply.StatusCode
}
