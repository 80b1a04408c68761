package acm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/certificate"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// usualTypes are listed unless the caller asks for others.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html
var usualTypes = []shape.KeyAlgorithm{shape.KeyAlgorithmRsa1024, shape.KeyAlgorithmRsa2048}

func (a *API) listCertificates(_ context.Context, call *gateway.Call, in *shape.ListCertificatesRequest) (*shape.ListCertificatesResponse, error) {
	if (in.SortBy == "") != (in.SortOrder == "") {
		return nil, fault.New(fault.Validation, "SortBy and SortOrder must be specified together.")
	}
	v, all, down := a.store.View(), []*balancer.Certificate{}, in.SortOrder == shape.SortOrderDescending
	for c := range store.Certificates.Prefix(v, call.Scope.Of("acm", "certificate/")) {
		ok, err := listed(in, c, status(c, call.Now))
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, c)
		}
	}
	key := func(c *balancer.Certificate) string { return fmt.Sprintf("%019d%s", c.CreatedAt.UnixNano(), c.ARN) }
	slices.SortFunc(all, func(a, b *balancer.Certificate) int { return cmp.Compare(key(a), key(b)) })
	if down {
		slices.Reverse(all)
	}
	some, next, ok := page.Cut(all, in.NextToken, in.MaxItems, 1000, key, down)
	if !ok {
		return nil, fault.New(fault.InvalidArgs, "The NextToken is not valid.")
	}
	out := &shape.ListCertificatesResponse{NextToken: next, CertificateSummaryList: []shape.CertificateSummary{}}
	for _, c := range some {
		summary, err := summarise(v, c, call)
		if err != nil {
			return nil, err
		}
		out.CertificateSummaryList = append(out.CertificateSummaryList, summary)
	}
	return out, nil
}

// listed tells whether a certificate passes the request's filters.
func listed(in *shape.ListCertificatesRequest, c *balancer.Certificate, status shape.CertificateStatus) (bool, error) {
	filters := member.Value(in.Includes)
	types := filters.KeyTypes
	if len(types) == 0 {
		types = usualTypes
	}
	if !slices.Contains(types, shape.KeyAlgorithm(c.Algorithm)) || !among(in.CertificateStatuses, status) || filters.ManagedBy != "" ||
		!among(in.CertificateKeyPairOrigins, origin(c)) || filters.ExportOption != "" && filters.ExportOption != showOptions(c).Export {
		return false, nil
	}
	if len(filters.KeyUsage) == 0 && len(filters.ExtendedKeyUsage) == 0 {
		return true, nil
	}
	usages, purposes, err := purposesOf(c)
	return err == nil && overlap(filters.KeyUsage, usages) && overlap(filters.ExtendedKeyUsage, purposes), err
}

func among[T comparable](wanted []T, have T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, have)
}

func overlap[T comparable](wanted, have []T) bool {
	return len(wanted) == 0 || slices.ContainsFunc(have, func(x T) bool { return slices.Contains(wanted, x) })
}

func purposesOf(c *balancer.Certificate) (usages []shape.KeyUsageName, purposes []shape.ExtendedKeyUsageName, err error) {
	leaf, err := certificate.Leaf(c.Chain)
	if err != nil {
		return nil, nil, err
	}
	usages, purposes = []shape.KeyUsageName{}, []shape.ExtendedKeyUsageName{}
	for _, name := range certificate.Usages(leaf) {
		usages = append(usages, shape.KeyUsageName(name))
	}
	for _, p := range certificate.Purposes(leaf) {
		purposes = append(purposes, shape.ExtendedKeyUsageName(p.Name))
	}
	return usages, purposes, nil
}

func summarise(r store.Reader, c *balancer.Certificate, call *gateway.Call) (shape.CertificateSummary, error) {
	usages, purposes, err := purposesOf(c)
	s := shape.CertificateSummary{
		CertificateArn: &c.ARN, DomainName: &c.Domain, SubjectAlternativeNameSummaries: c.Names, HasAdditionalSubjectAlternativeNames: new(false),
		Status: status(c, call.Now), Type: shape.CertificateType(c.Type), KeyAlgorithm: shape.KeyAlgorithm(c.Algorithm),
		KeyUsages: usages, ExtendedKeyUsages: purposes, InUse: new(inUse(r, c)), RenewalEligibility: eligibility(c, usersOf(r, c.ARN)),
		NotBefore: &c.NotBefore, NotAfter: &c.NotAfter, CreatedAt: &c.CreatedAt, ImportedAt: member.Time(c.ImportedAt),
		CertificateKeyPairOrigin: origin(c), ExportOption: showOptions(c).Export,
	}
	if c.Request != nil {
		s.IssuedAt, s.Exported = &c.CreatedAt, &c.Request.Exported
	}
	return s, err
}
