package ecr_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// docker login takes what `aws ecr get-login-password` prints, at the endpoint of
// the authorization token.
func TestDockerLoginWithTheCommandLine(t *testing.T) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("the docker command is not installed")
	}
	s := start(t)
	password, errs, code := s.CLI(t, s.Root, "ecr", "get-login-password")
	if code != 0 {
		t.Fatal(errs)
	}
	login := exec.CommandContext(t.Context(), docker, "login", "--username", "AWS", "--password-stdin", s.URL)
	login.Stdin = strings.NewReader(strings.TrimSpace(password))
	login.Env = append(os.Environ(), "DOCKER_CONFIG="+t.TempDir(), "DOCKER_HOST=unix:///nonexistent.sock")
	if out, err := login.CombinedOutput(); err != nil || !strings.Contains(string(out), "Login Succeeded") {
		t.Errorf("%v %s", err, out)
	}
}

func TestCommandLine(t *testing.T) {
	s := start(t)
	run := func(args ...string) string {
		t.Helper()
		out, errs, code := s.CLI(t, s.Root, append([]string{"ecr"}, args...)...)
		if code != 0 {
			t.Fatalf("aws ecr %s: %d %s", strings.Join(args, " "), code, errs)
		}
		return strings.TrimSpace(out)
	}
	uri := run("create-repository", "--repository-name", "app", "--query", "repository.repositoryUri", "--output", "text")
	if uri != strings.TrimPrefix(s.URL, "http://")+"/123456789012/app" {
		t.Error(uri)
	}
	digest := s.push("app:v1", randomImage(t))
	if got := run("describe-images", "--repository-name", "app", "--query", "imageDetails[0].imageDigest", "--output", "text"); got != digest {
		t.Error(got)
	}
	if got := run("list-images", "--repository-name", "app", "--page-size", "1", "--query", "imageIds[].imageTag", "--output", "text"); got != "v1" {
		t.Error(got)
	}
	run("batch-delete-image", "--repository-name", "app", "--image-ids", "imageTag=v1")
	run("delete-repository", "--repository-name", "app")
	_, errs, code := s.CLI(t, s.Root, "ecr", "list-images", "--repository-name", "app")
	if want := "An error occurred (RepositoryNotFoundException) when calling the ListImages operation: The repository with name 'app' does not exist in the registry with id '123456789012'"; code == 0 || !strings.Contains(errs, want) {
		t.Errorf("%d %s", code, errs)
	}
}

const inPython = `
import base64, boto3, hashlib, os
ecr = boto3.client("ecr", endpoint_url=os.environ["URL"])
ecr.create_repository(repositoryName="py", imageTagMutability="MUTABLE")
data = os.urandom(30000)
up = ecr.initiate_layer_upload(repositoryName="py")
for first in range(0, len(data), 10000):
    ecr.upload_layer_part(repositoryName="py", uploadId=up["uploadId"], partFirstByte=first, partLastByte=first + 9999, layerPartBlob=data[first:first + 10000])
digest = "sha256:" + hashlib.sha256(data).hexdigest()
ecr.complete_layer_upload(repositoryName="py", uploadId=up["uploadId"], layerDigests=[digest])
assert ecr.batch_check_layer_availability(repositoryName="py", layerDigests=[digest])["layers"][0]["layerSize"] == 30000
token = ecr.get_authorization_token()["authorizationData"][0]
assert base64.b64decode(token["authorizationToken"]).startswith(b"AWS:") and token["expiresAt"].timestamp() > 0
names = [r["repositoryName"] for page in ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1}) for r in page["repositories"]]
assert names == ["py"], names
try:
    ecr.create_repository(repositoryName="py")
    assert False
except ecr.exceptions.RepositoryAlreadyExistsException as e:
    assert "already exists in the registry" in str(e)
print("fine")
`

func TestBoto3(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import boto3").Run() != nil {
		t.Skip("python3 with boto3 is not installed: `apt-get install python3-boto3`")
	}
	s := start(t)
	cmd := exec.CommandContext(t.Context(), python, "-c", inPython)
	cmd.Env = append(os.Environ(), "URL="+s.URL, "AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret, "AWS_DEFAULT_REGION="+scope.Region,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "fine") {
		t.Errorf("%v\n%s", err, out)
	}
}
