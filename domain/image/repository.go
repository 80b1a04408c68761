// Package image holds what berth knows of container images without touching
// one: repositories as ECR keeps them, references as people write them in task
// definitions, where such a reference is to be found, and lifecycle policies.
package image

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// Mutability says whether a tag may be moved to another image.
type Mutability string

// Mutabilities. The two with exclusions turn around for tags that match one of
// the repository's exclusion filters.
const (
	Mutable                Mutability = "MUTABLE"
	Immutable              Mutability = "IMMUTABLE"
	MutableWithExclusion   Mutability = "MUTABLE_WITH_EXCLUSION"
	ImmutableWithExclusion Mutability = "IMMUTABLE_WITH_EXCLUSION"
)

// Repository is one ECR repository. The images themselves are the registry's;
// this record is what allows them to be there.
type Repository struct {
	Scope     arn.Scope
	Name      string // may hold slashes: "team/app"
	ARN       string // primary key
	CreatedAt time.Time

	Mutability Mutability
	Exclusions []string // wildcard filters on tags; nil unless a ...WithExclusion mutability
	ScanOnPush bool
	Encryption Encryption

	Policy    string // repository policy, JSON text; empty when none
	Lifecycle Lifecycle
	Tags      map[string]string
}

// Encryption is echoed, not performed: at rest, the operator's disk decides.
type Encryption struct {
	Type   string // "AES256", "KMS" or "KMS_DSSE"
	KMSKey string // empty with AES256
}

// Lifecycle is the stored lifecycle policy of a repository.
type Lifecycle struct {
	Text          string    // JSON as the user gave it; empty when none
	LastEvaluated time.Time // zero before the first evaluation

	// Preview is the policy that was last tried without effect, and when; empty
	// when none was.
	Preview   string
	PreviewAt time.Time
}

// RepositoryARN is the ARN of the named repository.
func RepositoryARN(s arn.Scope, name string) string { return s.Of("ecr", "repository/"+name) }

// TagIsImmutable tells whether the tag, once put, may not move.
func (r *Repository) TagIsImmutable(tag string) bool {
	switch r.Mutability {
	case Immutable:
		return true
	case ImmutableWithExclusion:
		return !r.excluded(tag)
	case MutableWithExclusion:
		return r.excluded(tag)
	default:
		return false
	}
}

func (r *Repository) excluded(tag string) bool {
	for _, filter := range r.Exclusions {
		if wildcard(filter, tag) {
			return true
		}
	}
	return false
}

// wildcard matches s against a pattern in which * stands for any run of
// characters. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
func wildcard(pattern, s string) bool {
	for {
		if pattern == "" {
			return s == ""
		}
		if pattern[0] != '*' {
			if s == "" || s[0] != pattern[0] {
				return false
			}
			pattern, s = pattern[1:], s[1:]
			continue
		}
		for i := 0; i <= len(s); i++ {
			if wildcard(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	}
}
