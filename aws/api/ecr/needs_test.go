package ecr_test

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecr"
)

func TestAuthorisation(t *testing.T) {
	const (
		web    = "arn:aws:ecr:eu-central-1:123456789012:repository/web"
		digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		upload = "11111111-1111-4111-a111-111111111111"
	)
	on := func(operation, more string, resources ...string) gatewaytest.Authorised {
		return gatewaytest.Authorised{
			Operation: operation, Input: `{"repositoryName":"web"` + more + `}`,
			Needs: []gateway.Need{{Action: "ecr:" + operation, Resources: resources}},
		}
	}
	gatewaytest.Authorisation(t, func(t testing.TB) *gatewaytest.Server { return start(t).Server }, shape.API, []gatewaytest.Authorised{
		on("GetAuthorizationToken", ""), on("DescribeRegistry", ""),
		{
			Operation: "CreateRepository", Input: `{"repositoryName":"web","tags":[{"Key":"team","Value":"a"}]}`,
			Needs: []gateway.Need{
				{Action: "ecr:CreateRepository", Resources: []string{web}, Keys: map[string][]string{"aws:RequestTag/team": {"a"}}},
				{Action: "ecr:TagResource", Resources: []string{web}},
			},
		},
		{
			Operation: "DescribeRepositories", Input: `{}`,
			Needs: []gateway.Need{{Action: "ecr:DescribeRepositories", Resources: []string{"arn:aws:ecr:eu-central-1:123456789012:repository/*"}}},
		},
		{
			Operation: "DescribeRepositories", Input: `{"repositoryNames":["web"]}`,
			Needs: []gateway.Need{{Action: "ecr:DescribeRepositories", Resources: []string{web}}},
		},
		on("DeleteRepository", "", web),
		on("PutImageTagMutability", `,"imageTagMutability":"MUTABLE"`, web),
		on("PutImageScanningConfiguration", `,"imageScanningConfiguration":{}`, web),
		on("SetRepositoryPolicy", `,"policyText":"{}"`, web), on("GetRepositoryPolicy", "", web), on("DeleteRepositoryPolicy", "", web),
		on("PutLifecyclePolicy", `,"lifecyclePolicyText":"{`+strings.Repeat(" ", 100)+`}"`, web), on("GetLifecyclePolicy", "", web), on("DeleteLifecyclePolicy", "", web),
		on("StartLifecyclePolicyPreview", "", web), on("GetLifecyclePolicyPreview", "", web),
		on("TagResource", `,"resourceArn":"`+web+`","tags":[{"Key":"a","Value":"b"}]`, web),
		on("UntagResource", `,"resourceArn":"`+web+`","tagKeys":["a"]`, web),
		on("ListTagsForResource", `,"resourceArn":"`+web+`"`, web),
		on("ListImages", "", web), on("DescribeImages", "", web),
		on("BatchGetImage", `,"imageIds":[{"imageTag":"latest"}]`, web), on("BatchDeleteImage", `,"imageIds":[{"imageTag":"latest"}]`, web),
		on("PutImage", `,"imageManifest":"{}"`, web),
		on("BatchCheckLayerAvailability", `,"layerDigests":["`+digest+`"]`, web), on("GetDownloadUrlForLayer", `,"layerDigest":"`+digest+`"`, web),
		on("InitiateLayerUpload", "", web),
		on("UploadLayerPart", `,"uploadId":"`+upload+`","partFirstByte":0,"partLastByte":1,"layerPartBlob":"YWI="`, web),
		on("CompleteLayerUpload", `,"uploadId":"`+upload+`","layerDigests":["`+digest+`"]`, web),
	})
}
