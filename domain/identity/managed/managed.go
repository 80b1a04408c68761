// Package managed holds the policies that AWS manages: those that stacks on ECS
// attach, with the permissions that AWS documents.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
package managed

import (
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/identity"
)

//go:embed policies/*.json
var policies embed.FS

// Paths of AWS's policies.
const (
	plain       = "/"
	serviceRole = "/service-role/"
	linkedRole  = "/aws-service-role/" // only service-linked roles have these
)

// row is one policy of the table.
type row struct{ name, path, description string }

// mostVersions is how many texts of a policy are kept.
const mostVersions = 5

// ARN names a policy that AWS manages, by its path and name: "AdministratorAccess",
// "service-role/AmazonECSTaskExecutionRolePolicy".
func ARN(pathAndName string) string { return "arn:aws:iam::aws:policy/" + pathAndName }

// Linked tells whether a policy is for service-linked roles alone.
func Linked(p *identity.ManagedPolicy) bool {
	return p.Account == identity.AWSAccount && p.Path == linkedRole
}

// Policies are all of them, in order of name. Each is at its first version.
func Policies(now time.Time) ([]identity.ManagedPolicy, error) {
	rows := table()
	out := make([]identity.ManagedPolicy, len(rows))
	for i, r := range rows {
		text, err := policies.ReadFile("policies/" + r.name + ".json")
		if err != nil {
			return nil, fmt.Errorf("the text of %s: %w", r.name, err)
		}
		out[i] = identity.ManagedPolicy{
			Account: identity.AWSAccount, Name: r.name, Path: r.path, ID: id(r.name),
			ARN: ARN(strings.TrimPrefix(r.path, "/") + r.name), Description: r.description,
			Versions: []identity.PolicyVersion{{ID: "v1", Document: string(text), CreatedAt: now}}, Default: "v1", NextVersion: 2,
			CreatedAt: now, UpdatedAt: now,
		}
	}
	return out, nil
}

// Renewed is a policy that is kept with the text of another of its name; the same
// policy when nothing changed.
func Renewed(have, want *identity.ManagedPolicy, now time.Time) *identity.ManagedPolicy {
	if have.Document() == want.Document() && have.Description == want.Description {
		return have
	}
	next := *have
	next.Description, next.UpdatedAt = want.Description, now
	if have.Document() == want.Document() {
		return &next
	}
	next.Default = fmt.Sprintf("v%d", have.NextVersion)
	next.NextVersion++
	next.Versions = append(slices.Clone(have.Versions), identity.PolicyVersion{ID: next.Default, Document: want.Document(), CreatedAt: now})
	if spare := len(next.Versions) - mostVersions; spare > 0 {
		next.Versions = next.Versions[spare:]
	}
	return &next
}

// id is the same in every account and for good.
func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return identity.ManagedPolicyID + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
