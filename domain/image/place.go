package image

import (
	"regexp"
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

// loadedRoot is the part of the registry that holds images loaded from archives.
// No account number looks like it.
const loadedRoot = "loaded"

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
	// The forms AWS documents, dual stack and FIPS included, and the one that
	// emulators made popular.
	ecrHostForm = regexp.MustCompile(`^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn|localhost\.localstack\.cloud)(?::[0-9]+)?$`)
)

// Place is a repository of berth's own registry: one of ECR's, or one that holds
// a loaded image.
type Place struct {
	Scope arn.Scope // the region is empty for loaded images: they serve all regions
	Name  string    // the ECR repository's name, or HOST/PATH of a loaded image

	Loaded bool
}

// Repository is the place of an ECR repository.
func RepositoryPlace(s arn.Scope, name string) Place { return Place{Scope: s, Name: name} }

// LoadedPlace is where an archive loaded under the reference's name goes, for
// the account. It is false for the few hosts that cannot be part of a repository
// name (IPv6 literals).
func LoadedPlace(account string, r Reference) (Place, bool) {
	host := strings.ReplaceAll(r.fullHost(), ":", "__")
	name := host + "/" + r.fullPath()
	p := Place{Scope: arn.Scope{Account: account}, Name: name, Loaded: true}
	return p, ValidPath(p.Path())
}

// Path is the one full name of the place below /v2/ of the registry:
// ACCOUNT/REGION/NAME, or loaded/ACCOUNT/HOST/PATH.
func (p Place) Path() string {
	if p.Loaded {
		return loadedRoot + "/" + p.Scope.Account + "/" + p.Name
	}
	return p.Scope.Account + "/" + p.Scope.Region + "/" + p.Name
}

// PublicPath is the short name that repositoryUri shows: ACCOUNT/NAME in the home
// region, the full path elsewhere. A name whose first part looks like a region is
// always written in full, so that no two repositories share a public path.
func (p Place) PublicPath(home string) string {
	first, _, nested := strings.Cut(p.Name, "/")
	if p.Loaded || p.Scope.Region != home || nested && regionForm.MatchString(first) {
		return p.Path()
	}
	return p.Scope.Account + "/" + p.Name
}

// ParsePath reads a path below /v2/, full or short; home is the region a short
// one means.
func ParsePath(path, home string) (Place, bool) {
	if !ValidPath(path) {
		return Place{}, false
	}
	first, rest, _ := strings.Cut(path, "/")
	if first == loadedRoot {
		account, name, _ := strings.Cut(rest, "/")
		return Place{Scope: arn.Scope{Account: account}, Name: name, Loaded: true}, accountForm.MatchString(account) && name != ""
	}
	if !accountForm.MatchString(first) || rest == "" {
		return Place{}, false
	}
	if region, name, nested := strings.Cut(rest, "/"); nested && regionForm.MatchString(region) {
		return RepositoryPlace(arn.Scope{Account: first, Region: region}, name), true
	}
	return RepositoryPlace(arn.Scope{Account: first, Region: home}, rest), true
}

// ParseECRHost reads the account and region out of AWS's own registry host names.
func ParseECRHost(host string) (arn.Scope, bool) {
	m := ecrHostForm.FindStringSubmatch(strings.ToLower(host))
	if m == nil {
		return arn.Scope{}, false
	}
	return arn.Scope{Account: m[1], Region: m[2]}, true
}
