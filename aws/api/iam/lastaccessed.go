package iam

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

// reportsKept is how long a report can be read.
const reportsKept = 24 * time.Hour

func (a *API) generateServiceLastAccessedDetails(ctx context.Context, call *gateway.Call, in *iam.GenerateServiceLastAccessedDetailsRequest) (*iam.GenerateServiceLastAccessedDetailsResponse, error) {
	report := &identity.AccessReport{
		ID: a.uuid(), Account: call.Scope.Account, ARN: *in.Arn, At: call.Now,
		Actions: in.Granularity == iam.AccessAdvisorUsageGranularityTypeActionLevel,
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := granted(tx, call, report.ARN); err != nil {
			return err
		}
		for old := range store.AccessReports.All(tx) {
			if call.Now.Sub(old.At) > reportsKept {
				store.AccessReports.Delete(tx, old.ID)
			}
		}
		store.AccessReports.Put(tx, report)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.GenerateServiceLastAccessedDetailsResponse{JobId: &report.ID}, nil
}

// granted are the policies of a user, group or role, or a policy alone.
func granted(r store.Reader, call *gateway.Call, of string) ([]policy.Applied, error) {
	a, err := arn.Parse(of)
	if err == nil && a.Service == "iam" && a.Kind() == "policy" {
		p, err := findPolicy(r, call, of)
		if err != nil {
			return nil, err
		}
		held, err := mandate.Gatherer{View: r}.Grants(&identity.Grants{Attached: []string{p.ARN}})
		if err != nil {
			return nil, err
		}
		return held.Identity, nil
	}
	from, err := sourceOf(r, call, of)
	if err != nil {
		return nil, err
	}
	return from.policies.Identity, nil
}

func (a *API) getServiceLastAccessedDetails(_ context.Context, call *gateway.Call, in *iam.GetServiceLastAccessedDetailsRequest) (*iam.GetServiceLastAccessedDetailsResponse, error) {
	v := a.store.View()
	report, ok := store.AccessReports.Get(v, *in.JobId)
	if !ok || report.Account != call.Scope.Account {
		return nil, missing("Report %s cannot be found.", *in.JobId)
	}
	policies, err := granted(v, call, report.ARN)
	if err != nil {
		return nil, err
	}
	names := namespaces(policies)
	list, more, next, err := listed(in.Marker, in.MaxItems, names, func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	uses := a.usesBy(v, call, report.ARN)
	out := &iam.GetServiceLastAccessedDetailsResponse{
		JobStatus: iam.JobStatusTypeCompleted, JobType: iam.AccessAdvisorUsageGranularityTypeServiceLevel, JobCreationDate: at(report.At), JobCompletionDate: at(report.At),
		IsTruncated: more, Marker: next, ServicesLastAccessed: member.Each(list, func(name *string) iam.ServiceLastAccessed { return showUse(*name, uses[*name], report.Actions) }),
	}
	if report.Actions {
		out.JobType = iam.AccessAdvisorUsageGranularityTypeActionLevel
	}
	return out, nil
}

// used is the last use of a service, by whom.
type used struct {
	ServiceUse
	by    string
	count int // how many used it
}

// usesBy gathers who of those that the ARN stands for used what last.
func (a *API) usesBy(r store.Reader, call *gateway.Call, of string) map[string]used {
	out := map[string]used{}
	if a.usage == nil {
		return out
	}
	for _, who := range standingFor(r, call, of) {
		for _, use := range a.usage.Services(who) {
			have := out[use.Service]
			have.count++
			if use.At.After(have.At) {
				have.ServiceUse, have.by = use, who
			}
			out[use.Service] = have
		}
	}
	return out
}

// standingFor are the users and roles that an ARN stands for: itself, the members of
// a group, those who have a policy.
func standingFor(r store.Reader, call *gateway.Call, of string) (arns []string) {
	a, _ := arn.Parse(of)
	switch a.Kind() {
	case "group":
		if g, err := findGroup(r, call, a.Name()); err == nil {
			for _, u := range membersOf(r, g) {
				arns = append(arns, u.ARN)
			}
		}
	case "policy":
		for u := range store.Users.By(r, store.UsersByPolicy, of) {
			arns = append(arns, u.ARN)
		}
		for role := range store.Roles.By(r, store.RolesByPolicy, of) {
			arns = append(arns, role.ARN)
		}
	default:
		arns = []string{of}
	}
	return arns
}

func showUse(namespace string, use used, actions bool) iam.ServiceLastAccessed {
	out := iam.ServiceLastAccessed{ServiceName: new(serviceName(namespace)), ServiceNamespace: &namespace, TotalAuthenticatedEntities: new(int32(use.count))}
	if use.count == 0 {
		return out
	}
	out.LastAuthenticated, out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = at(use.At), &use.by, member.Present(use.Region)
	if !actions {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(use.Actions)) {
		one := use.Actions[name]
		out.TrackedActionsLastAccessed = append(out.TrackedActionsLastAccessed, iam.TrackedActionLastAccessed{
			ActionName: &name, LastAccessedEntity: &use.by, LastAccessedTime: at(one.At), LastAccessedRegion: member.Present(one.Region),
		})
	}
	return out
}

// namespaces are the services that policies allow something of, sorted. Those that
// allow everything stand for all services that berth has.
func namespaces(policies []policy.Applied) []string {
	found := map[string]bool{}
	for _, p := range policies {
		for _, s := range p.Document.Statements() {
			if s.Effect != policy.Allow {
				continue
			}
			for _, action := range s.Actions {
				service, _, _ := strings.Cut(strings.ToLower(action), ":")
				found[service] = true
			}
			if len(s.NotActions) > 0 {
				found["*"] = true
			}
		}
	}
	if found["*"] {
		for _, s := range services() {
			found[s.namespace] = true
		}
		delete(found, "*")
	}
	return slices.Sorted(maps.Keys(found))
}

type service struct{ namespace, name string }

func services() []service {
	return []service{
		{"application-autoscaling", "AWS Application Auto Scaling"}, {"autoscaling", "Amazon EC2 Auto Scaling"}, {"cloudwatch", "Amazon CloudWatch"},
		{"dynamodb", "Amazon DynamoDB"}, {"ec2", "Amazon EC2"}, {"ecr", "Amazon Elastic Container Registry"}, {"ecs", "Amazon Elastic Container Service"},
		{"elasticfilesystem", "Amazon Elastic File System"}, {"elasticloadbalancing", "AWS Elastic Load Balancing"}, {"events", "Amazon EventBridge"},
		{"iam", "AWS Identity and Access Management"}, {"kms", "AWS Key Management Service"}, {"logs", "Amazon CloudWatch Logs"}, {"s3", "Amazon S3"},
		{"secretsmanager", "AWS Secrets Manager"}, {"servicediscovery", "AWS Cloud Map"}, {"ssm", "AWS Systems Manager"}, {"sts", "AWS Security Token Service"},
		{"tag", "Amazon Resource Group Tagging API"},
	}
}

// serviceName is what a service is called; its namespace where that is not known.
func serviceName(namespace string) string {
	for _, s := range services() {
		if s.namespace == namespace {
			return s.name
		}
	}
	return namespace
}
