package ecr_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestImagesAreListedAndDescribed(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	img := randomImage(t)
	first := s.push("app:v1", img)
	s.push("app:latest", img)
	second := s.push("app:v2", randomImage(t))
	s.do("BatchDeleteImage", `{"repositoryName": "app", "imageIds": [{"imageTag": "latest"}]}`)
	s.push("app:latest", img)

	page := s.do("ListImages", `{"repositoryName": "app", "maxResults": 2}`)
	rest := s.do("ListImages", `{"repositoryName": "app", "nextToken": "%s"}`, page["nextToken"])
	tags := map[string]string{}
	for _, id := range append(page["imageIds"].([]any), rest["imageIds"].([]any)...) {
		tags[id.(object)["imageTag"].(string)] = id.(object)["imageDigest"].(string)
	}
	if len(tags) != 3 || tags["v1"] != first || tags["latest"] != first || tags["v2"] != second {
		t.Errorf("listed %v", tags)
	}

	d := s.do("DescribeImages", `{"repositoryName": "app", "imageIds": [{"imageTag": "v1"}, {"imageDigest": "%s"}]}`, first)["imageDetails"].([]any)
	if len(d) != 1 {
		t.Fatalf("two names of one image are %d images", len(d))
	}
	one := d[0].(object)
	if text(one["imageTags"]) != `["latest","v1"]` || one["imageDigest"] != first || one["imageSizeInBytes"].(float64) < 4000 || one["registryId"] != "123456789012" || one["imagePushedAt"] == nil {
		t.Errorf("described %s", text(one))
	}
	s.refused("DescribeImages", `{"repositoryName": "app", "imageIds": [{"imageTag": "v9"}]}`, "ImageNotFoundException",
		"The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'app' in the registry with id '123456789012'")
	if got := s.do("DescribeImages", `{"repositoryName": "app", "filter": {"tagStatus": "UNTAGGED"}}`)["imageDetails"].([]any); len(got) != 0 {
		t.Errorf("untagged: %s", text(got))
	}
}

func TestBatchesNameTheirFailures(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	img := randomImage(t)
	first := s.push("app:v1", img)
	s.push("app:stable", img)
	second := s.push("app:v2", randomImage(t))
	ids := `[{"imageTag": "v1"}, {"imageTag": "v9"}, {"imageDigest": "nonsense"}, {}, {"imageTag": "v2", "imageDigest": "` + first + `"}]`
	const failures = `["ImageNotFound","InvalidImageDigest","MissingDigestAndTag","ImageTagDoesNotMatchDigest"]`

	got := s.do("BatchGetImage", `{"repositoryName": "app", "imageIds": %s}`, ids)
	if codes := failureCodes(got); codes != failures {
		t.Errorf("get: %s", text(got["failures"]))
	}
	one := got["images"].([]any)[0].(object)
	if fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(one["imageManifest"].(string)))) != first {
		t.Errorf("the manifest is not that of %s: %s", first, text(one))
	}

	deleted := s.do("BatchDeleteImage", `{"repositoryName": "app", "imageIds": %s}`, ids)
	if codes := failureCodes(deleted); codes != failures {
		t.Errorf("delete: %s", text(deleted["failures"]))
	}
	if got := text(deleted["imageIds"]); got != `[{"imageDigest":"`+first+`","imageTag":"v1"}]` {
		t.Errorf("deleted %s", got)
	}
	// Its last tag takes an image along; a digest takes all tags along.
	s.do("BatchDeleteImage", `{"repositoryName": "app", "imageIds": [{"imageTag": "stable"}, {"imageDigest": "%s"}]}`, second)
	if got := text(s.do("ListImages", `{"repositoryName": "app"}`)["imageIds"]); got != "[]" {
		t.Errorf("left: %s", got)
	}
}

func failureCodes(out object) string {
	codes := []any{}
	for _, f := range out["failures"].([]any) {
		codes = append(codes, f.(object)["failureCode"])
	}
	return text(codes)
}

func TestImagesOfAnIndexCannotGoBeforeIt(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "multi"}`)
	index, err := random.Index(500, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	parent := s.pushIndex("multi:v1", index)
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	child := manifest.Manifests[0].Digest.String()
	got := s.do("BatchDeleteImage", `{"repositoryName": "multi", "imageIds": [{"imageDigest": "%s"}]}`, child)
	if codes := failureCodes(got); codes != `["ImageReferencedByManifestList"]` {
		t.Errorf("%s", text(got))
	}
	got = s.do("BatchDeleteImage", `{"repositoryName": "multi", "imageIds": [{"imageDigest": "%s"}, {"imageTag": "v1"}]}`, child)
	if n := len(got["imageIds"].([]any)); n != 2 {
		t.Errorf("index and image together: %s", text(got))
	}
	s.refused("DescribeImages", `{"repositoryName": "multi", "imageIds": [{"imageDigest": "`+parent+`"}]}`, "ImageNotFoundException", "")
}

// An image can be pushed through the API alone, layer by layer.
func TestPushThroughTheAPI(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app", "imageTagMutability": "IMMUTABLE"}`)
	layer := s.upload([]byte(strings.Repeat("layer ", 1000)))
	config := s.upload([]byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["` + layer.digest + `"]}}`))
	manifest := func(annotation string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}],"annotations":{"a":"%s"}}`,
			config.digest, config.size, layer.digest, layer.size, annotation)
	}
	put := func(text, tag string) string {
		return fmt.Sprintf(`{"repositoryName": "app", "imageTag": "%s", "imageManifest": %q}`, tag, text)
	}
	s.do("PutImage", "%s", put(manifest("one"), "v1"))
	s.refused("PutImage", put(manifest("one"), "v1"), "ImageAlreadyExistsException", "Image with digest 'sha256:")
	s.refused("PutImage", put(manifest("two"), "v1"), "ImageTagAlreadyExistsException", "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.")
	s.refused("PutImage", put(strings.ReplaceAll(manifest("x"), layer.digest, "sha256:"+strings.Repeat("0", 64)), "v3"), "LayersNotFoundException", "")
	s.refused("PutImage", `{"repositoryName": "app", "imageManifest": "{", "imageTag": "v4"}`, "InvalidParameterException", "")
	s.refused("PutImage", fmt.Sprintf(`{"repositoryName": "app", "imageManifest": %q, "imageDigest": "sha256:%064d"}`, manifest("five"), 0), "ImageDigestDoesNotMatchException", "")

	available := s.do("BatchCheckLayerAvailability", `{"repositoryName": "app", "layerDigests": ["%s", "sha256:%064d", "nonsense"]}`, layer.digest, 0)
	got := text(available["failures"])
	for _, l := range available["layers"].([]any) {
		got += fmt.Sprint(" ", l.(object)["layerAvailability"], l.(object)["layerSize"])
	}
	if !strings.Contains(got, "InvalidLayerDigest") || !strings.HasSuffix(got, " AVAILABLE6000 UNAVAILABLE<nil>") {
		t.Error(got)
	}
}

func TestDownloadAddressOpensOneLayer(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	one, two := s.upload([]byte("one")), s.upload([]byte("two"))
	address := s.do("GetDownloadUrlForLayer", `{"repositoryName": "app", "layerDigest": "%s"}`, one.digest)["downloadUrl"].(string)
	reply, err := http.Get(address) // with no other credentials than the address
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if body, _ := io.ReadAll(reply.Body); string(body) != "one" {
		t.Errorf("%s %q", reply.Status, body)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	for _, path := range []string{"/v2/", strings.Replace(u.Path, one.digest, two.digest, 1), "/v2/123456789012/app/tags/list"} {
		if got := s.reach(path, password); got < 400 {
			t.Errorf("it opens %s too: %d", path, got)
		}
	}
	s.refused("GetDownloadUrlForLayer", fmt.Sprintf(`{"repositoryName": "app", "layerDigest": "sha256:%064d"}`, 0), "LayersNotFoundException", "")
}

func TestUploadsAreChecked(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	id := s.do("InitiateLayerUpload", `{"repositoryName": "app"}`)["uploadId"].(string)
	part := func(id string, first, last int, data string) string {
		return fmt.Sprintf(`{"repositoryName": "app", "uploadId": "%s", "partFirstByte": %d, "partLastByte": %d, "layerPartBlob": "%s"}`,
			id, first, last, base64.StdEncoding.EncodeToString([]byte(data)))
	}
	s.refused("UploadLayerPart", part(id, 0, 9, "abc"), "InvalidParameterException", "Invalid parameter at 'layerPartBlob'")
	s.refused("UploadLayerPart", part(id, 7, 9, "abc"), "InvalidLayerException", "The layer part does not begin where the one before ended")
	s.refused("UploadLayerPart", part("00000000-0000-4000-8000-000000000000", 0, 2, "abc"), "UploadNotFoundException", "The upload could not be found")
	s.do("UploadLayerPart", "%s", part(id, 0, 2, "abc"))
	s.refused("CompleteLayerUpload", fmt.Sprintf(`{"repositoryName": "app", "uploadId": "%s", "layerDigests": ["sha256:%064d"]}`, id, 0), "InvalidLayerException", "The layer digest 'sha256:")
}

const somePolicy = `{"rules":[{"rulePriority":1,"description":"keep one","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`

func TestLifecyclePolicyAndItsPreview(t *testing.T) {
	s := start(t)
	s.do("CreateRepository", `{"repositoryName": "app"}`)
	old := s.push("app:old", randomImage(t))
	s.push("app:new", randomImage(t))
	s.refused("GetLifecyclePolicy", `{"repositoryName": "app"}`, "LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'")
	s.refused("PutLifecyclePolicy", fmt.Sprintf(`{"repositoryName": "app", "lifecyclePolicyText": %q}`, strings.Replace(somePolicy, "expire", "burn", 1)),
		"InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: rule with priority 1: action type must be expire")
	s.do("PutLifecyclePolicy", `{"repositoryName": "app", "lifecyclePolicyText": %q}`, somePolicy)
	if got := s.do("GetLifecyclePolicy", `{"repositoryName": "app"}`)["lifecyclePolicyText"]; got != somePolicy {
		t.Error(got)
	}
	if got := s.do("StartLifecyclePolicyPreview", `{"repositoryName": "app"}`)["status"]; got != "IN_PROGRESS" {
		t.Error(got)
	}
	preview := s.do("GetLifecyclePolicyPreview", `{"repositoryName": "app"}`)
	results := preview["previewResults"].([]any)
	if preview["status"] != "COMPLETE" || text(preview["summary"]) != `{"expiringImageTotalCount":1}` || len(results) != 1 || results[0].(object)["imageDigest"] != old {
		t.Error(text(preview))
	}
	s.do("DeleteLifecyclePolicy", `{"repositoryName": "app"}`)
	s.refused("DeleteLifecyclePolicy", `{"repositoryName": "app"}`, "LifecyclePolicyNotFoundException", "")
	s.refused("GetLifecyclePolicyPreview", `{"repositoryName": "app"}`, "LifecyclePolicyNotFoundException", "Lifecycle policy preview does not exist")
}

type layer struct {
	digest string
	size   int
}

// upload sends a layer to the repository "app" in parts of a thousand bytes.
func (s *server) upload(data []byte) layer {
	s.t.Helper()
	id := s.do("InitiateLayerUpload", `{"repositoryName": "app"}`)["uploadId"].(string)
	for first := 0; first < len(data); first += 1000 {
		last := min(first+1000, len(data)) - 1
		got := s.do("UploadLayerPart", `{"repositoryName": "app", "uploadId": "%s", "partFirstByte": %d, "partLastByte": %d, "layerPartBlob": "%s"}`,
			id, first, last, base64.StdEncoding.EncodeToString(data[first:last+1]))
		if got["lastByteReceived"].(float64) != float64(last) {
			s.t.Fatalf("received up to %v, sent up to %d", got["lastByteReceived"], last)
		}
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	s.do("CompleteLayerUpload", `{"repositoryName": "app", "uploadId": "%s", "layerDigests": ["%s"]}`, id, digest)
	return layer{digest, len(data)}
}
