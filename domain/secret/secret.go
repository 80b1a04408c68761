// Package secret holds what is kept encrypted and the rules about it: the secrets
// of Secrets Manager, the parameters of Systems Manager's Parameter Store, and the
// keys of KMS. What is secret is only here as sealed bytes; plane/vault seals and
// opens them.
package secret

import (
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Secret is a secret of Secrets Manager without its values.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
type Secret struct {
	Scope       arn.Scope
	Name        string
	ARN         string // ends with six random characters, so that a name used again is another secret
	Description string
	Type        string // of an external partner's secret; stored and echoed
	// Key is the KMS key as the caller named it; empty for aws/secretsmanager.
	Key      string
	Versions []Version // oldest first
	Rotation Rotation
	Policy   string // resource policy, JSON as it was given; empty for none
	Tags     []workload.Tag

	CreatedAt  time.Time
	ChangedAt  time.Time
	AccessedAt time.Time // the day of the last read; zero for never
	DeleteAt   time.Time // end of the recovery window; zero unless its deletion is asked for
}

// Version is one value of a secret. The value is a Value of its own, so that who
// lists secrets does not carry them.
type Version struct {
	ID         string
	Stages     []string // none: the version is deprecated and may go
	KeyARNs    []string // keys that the value is, or was, sealed with
	CreatedAt  time.Time
	AccessedAt time.Time
	Empty      bool // made for a rotation, which has not put a value yet
}

// Value is the sealed value of one version.
type Value struct {
	SecretARN string
	VersionID string
	KeyARN    string
	Binary    bool // it was given as SecretBinary
	Sealed    []byte
}

// Rotation is how and when a secret gets new values.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
type Rotation struct {
	Enabled   bool
	LambdaARN string
	AfterDays int64  // 0 with a schedule, or without rules
	Schedule  string // rate() or cron(); empty with AfterDays
	Duration  string // of the window, "3h"; empty for AWS's default
	LastAt    time.Time
	NextAt    time.Time // zero for never
	Run       *Run      // under way; nil for none
}

// Run is one rotation under way.
type Run struct {
	VersionID string
	Step      Step
	CallAt    time.Time // when the function is called next
	Missed    int       // calls of this step that failed
}

// Step of a rotation.
type Step string

// Steps, in their order.
const (
	CreateSecret Step = "createSecret"
	SetSecret    Step = "setSecret"
	TestSecret   Step = "testSecret"
	FinishSecret Step = "finishSecret"
)

// Next is the step that follows; empty after the last.
func (s Step) Next() Step {
	switch s {
	case CreateSecret:
		return SetSecret
	case SetSecret:
		return TestSecret
	case TestSecret:
		return FinishSecret
	}
	return ""
}

// Deleting tells whether the secret's deletion was asked for.
func (s *Secret) Deleting() bool { return !s.DeleteAt.IsZero() }

// Gone tells whether its recovery window is over.
func (s *Secret) Gone(now time.Time) bool { return s.Deleting() && !now.Before(s.DeleteAt) }

// Version finds one by id.
func (s *Secret) Version(id string) (Version, bool) {
	return find(s.Versions, func(v Version) bool { return v.ID == id })
}

// Staged finds the version with a staging label.
func (s *Secret) Staged(stage string) (Version, bool) {
	return find(s.Versions, func(v Version) bool { return slices.Contains(v.Stages, stage) })
}

func find(versions []Version, is func(Version) bool) (Version, bool) {
	if i := slices.IndexFunc(versions, is); i >= 0 {
		return versions[i], true
	}
	return Version{}, false
}

// SuffixLength is how many random characters end a secret's ARN, after a hyphen.
const SuffixLength = 6

// ARN of a secret with the suffix.
func ARN(scope arn.Scope, name, suffix string) string {
	return scope.Of("secretsmanager", "secret:"+name+"-"+suffix)
}

// NamesIn are the names that an identifier may mean, the likelier first: a name is
// itself; an ARN may end with the random suffix or, when partial, with the name.
func NamesIn(id string) []string {
	a, err := arn.Parse(id)
	if err != nil {
		return []string{id}
	}
	tail, ok := strings.CutPrefix(a.Resource, "secret:")
	if !ok || a.Service != "secretsmanager" {
		return nil
	}
	if n := len(tail) - SuffixLength - 1; n > 0 && tail[n] == '-' {
		return []string{tail[:n], tail}
	}
	return []string{tail}
}

// Means tells whether an identifier means this secret.
func (s *Secret) Means(id string) bool {
	if id == s.Name || id == s.ARN {
		return true
	}
	return arn.IsARN(id) && id == s.ARN[:len(s.ARN)-SuffixLength-1]
}
