package ecr

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/image"
)

// Needs says by operation what its callers must be allowed to do: mostly, the
// operation on its repository.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateRepository":     gateway.NeedsOf(createRepositoryNeeds),
		"DescribeRepositories": gateway.On(func(c *gateway.Call, in *ecr.DescribeRepositoriesRequest) []string { return described(c, in) }),

		"DeleteRepository": gateway.On(func(c *gateway.Call, in *ecr.DeleteRepositoryRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"PutImageTagMutability": gateway.On(func(c *gateway.Call, in *ecr.PutImageTagMutabilityRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"PutImageScanningConfiguration": gateway.On(func(c *gateway.Call, in *ecr.PutImageScanningConfigurationRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"SetRepositoryPolicy": gateway.On(func(c *gateway.Call, in *ecr.SetRepositoryPolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"GetRepositoryPolicy": gateway.On(func(c *gateway.Call, in *ecr.GetRepositoryPolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"DeleteRepositoryPolicy": gateway.On(func(c *gateway.Call, in *ecr.DeleteRepositoryPolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"PutLifecyclePolicy": gateway.On(func(c *gateway.Call, in *ecr.PutLifecyclePolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"GetLifecyclePolicy": gateway.On(func(c *gateway.Call, in *ecr.GetLifecyclePolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"DeleteLifecyclePolicy": gateway.On(func(c *gateway.Call, in *ecr.DeleteLifecyclePolicyRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"StartLifecyclePolicyPreview": gateway.On(func(c *gateway.Call, in *ecr.StartLifecyclePolicyPreviewRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"GetLifecyclePolicyPreview": gateway.On(func(c *gateway.Call, in *ecr.GetLifecyclePolicyPreviewRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"ListImages": gateway.On(func(c *gateway.Call, in *ecr.ListImagesRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"DescribeImages": gateway.On(func(c *gateway.Call, in *ecr.DescribeImagesRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"BatchGetImage": gateway.On(func(c *gateway.Call, in *ecr.BatchGetImageRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"BatchDeleteImage": gateway.On(func(c *gateway.Call, in *ecr.BatchDeleteImageRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"PutImage": gateway.On(func(c *gateway.Call, in *ecr.PutImageRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"BatchCheckLayerAvailability": gateway.On(func(c *gateway.Call, in *ecr.BatchCheckLayerAvailabilityRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"GetDownloadUrlForLayer": gateway.On(func(c *gateway.Call, in *ecr.GetDownloadUrlForLayerRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"InitiateLayerUpload": gateway.On(func(c *gateway.Call, in *ecr.InitiateLayerUploadRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"UploadLayerPart": gateway.On(func(c *gateway.Call, in *ecr.UploadLayerPartRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),
		"CompleteLayerUpload": gateway.On(func(c *gateway.Call, in *ecr.CompleteLayerUploadRequest) []string {
			return repositoryOf(c, in.RegistryId, in.RepositoryName)
		}),

		"TagResource": gateway.On(func(_ *gateway.Call, in *ecr.TagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"UntagResource": gateway.On(func(_ *gateway.Call, in *ecr.UntagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *ecr.ListTagsForResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
	}
}

// createRepositoryNeeds: a repository that is born with tags is tagged, too.
func createRepositoryNeeds(call *gateway.Call, in *ecr.CreateRepositoryRequest) []gateway.Need {
	on := repositoryOf(call, in.RegistryId, in.RepositoryName)
	if len(in.Tags) == 0 {
		return []gateway.Need{{Resources: on}}
	}
	return []gateway.Need{{Resources: on}, {Action: "ecr:TagResource", Resources: on}}
}

// repositoryOf is the ARN of the repository of a registry; the caller's own for nil.
func repositoryOf(call *gateway.Call, registry, name *string) []string {
	scope := call.Scope
	if registry != nil {
		scope = arn.Scope{Account: *registry, Region: scope.Region}
	}
	return []string{image.RepositoryARN(scope, member.Value(name))}
}

// described are the repositories that are asked for, or all of a registry.
func described(call *gateway.Call, in *ecr.DescribeRepositoriesRequest) (out []string) {
	if len(in.RepositoryNames) == 0 {
		return repositoryOf(call, in.RegistryId, new("*"))
	}
	for i := range in.RepositoryNames {
		out = append(out, repositoryOf(call, in.RegistryId, &in.RepositoryNames[i])...)
	}
	return out
}
