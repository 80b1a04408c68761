package service

import (
	"cmp"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Template is what the tasks of a revision have in common.
type Template struct {
	DefinitionARN       string
	LaunchType          workload.LaunchType                    // empty with a strategy
	Providers           []cluster.CapacityProviderStrategyItem // empty with a launch type
	PlatformVersion     string                                 // Fargate, as asked for: "LATEST" where nothing was said
	PlatformFamily      string
	Network             *task.NetworkConfiguration // nil outside awsvpc
	EphemeralStorageGiB int                        // of the definition, on Fargate
	Express             *Express                   // nil but for Express gateway services
	Balancers           []Balancer
	Registries          []Registry
	Connect             *Connect // nil when not given
}

// Platform is the platform version that the template's tasks get: what LATEST means,
// where that was asked for.
func (t *Template) Platform() string {
	if t.PlatformVersion == workload.PlatformLatest {
		return workload.PlatformVersion
	}
	return t.PlatformVersion
}

// Revision is an immutable snapshot of what a service runs.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
type Revision struct {
	Scope      arn.Scope
	ARN        string // primary key
	ServiceARN string
	ClusterARN string
	Template   Template
	CreatedAt  time.Time
	// Images are the images of the containers as the first task that pulled them
	// found them, so that every task of the revision runs the same bytes. The
	// planner fills it in; a container of which nothing is known yet is not there.
	Images []Image
}

// Image is one container's image of a revision.
type Image struct {
	Container string
	Image     string // as the definition names it
	Digest    string // "sha256:..."
}

// WithImages adds to the images of a revision what a task of it has found.
func WithImages(have []Image, def *workload.Definition, t *task.Task) []Image {
	for i := range t.Observed.Containers {
		o := &t.Observed.Containers[i]
		c := def.Container(o.Name)
		known := slices.ContainsFunc(have, func(x Image) bool { return x.Container == o.Name })
		if c == nil || known || o.ImageDigest == "" || c.VersionConsistency == "disabled" {
			continue
		}
		have = append(have, Image{Container: o.Name, Image: c.Image, Digest: o.ImageDigest})
	}
	slices.SortFunc(have, func(a, b Image) int { return cmp.Compare(a.Container, b.Container) })
	return have
}
