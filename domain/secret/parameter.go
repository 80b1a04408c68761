package secret

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// ParameterType says what a parameter's value is.
type ParameterType string

// Types of parameters.
const (
	String       ParameterType = "String"
	StringList   ParameterType = "StringList" // separated by commas
	SecureString ParameterType = "SecureString"
)

// Tier of a parameter.
type Tier string

// Tiers.
const (
	Standard    Tier = "Standard"
	Advanced    Tier = "Advanced"
	Intelligent Tier = "Intelligent-Tiering" // asked for, never kept
)

// Parameter is a name in the Parameter Store. What it holds is in its versions.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
type Parameter struct {
	Scope  arn.Scope
	Name   string
	ARN    string
	Latest int64 // number of the newest version; every change of the value raises it
	Oldest int64
	Tags   []workload.Tag
}

// Edition is one version of a parameter.
type Edition struct {
	Scope          arn.Scope
	Name           string
	Version        int64 // from 1
	Type           ParameterType
	Value          string // empty for SecureString
	Sealed         []byte // of SecureString
	Key            string // KMS key as the caller named it, or alias/aws/ssm; empty but for SecureString
	KeyARN         string
	Description    string
	AllowedPattern string
	DataType       string
	Tier           Tier
	Policies       []ParameterPolicy
	Labels         []string
	ChangedAt      time.Time
	ChangedBy      string // ARN of the principal
}

// ParameterPolicy is an advanced parameter's: Expiration acts, the others, which
// notify, are kept.
type ParameterPolicy struct {
	Type string
	Text string // JSON as it was given
	// ExpiresAt is an Expiration's; zero for the others.
	ExpiresAt time.Time
}

// ParameterARN has no double slash for a name that begins with one.
func ParameterARN(scope arn.Scope, name string) string {
	return scope.Of("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// ExpiresAt is when the edition's policies end the parameter; zero for never.
func (e *Edition) ExpiresAt() time.Time {
	for _, p := range e.Policies {
		if !p.ExpiresAt.IsZero() {
			return p.ExpiresAt
		}
	}
	return time.Time{}
}

// Expired tells whether the edition's policies have ended the parameter.
func (e *Edition) Expired(now time.Time) bool {
	at := e.ExpiresAt()
	return !at.IsZero() && !now.Before(at)
}

// Selector is what follows a parameter's name after a colon: a version or a label.
type Selector struct {
	Version int64 // 0 for none
	Label   string
}

// String is the selector as it was written, with its colon; empty for none.
func (s Selector) String() string {
	switch {
	case s.Version != 0:
		return ":" + strconv.FormatInt(s.Version, 10)
	case s.Label != "":
		return ":" + s.Label
	}
	return ""
}

// Select splits NAME, NAME:VERSION or NAME:LABEL.
func Select(text string) (name string, s Selector) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return name, s
	}
	if n, err := strconv.ParseInt(rest, 10, 64); err == nil && n > 0 {
		return name, Selector{Version: n}
	}
	return name, Selector{Label: rest}
}

// SecretReference is what a parameter's name begins with when it means a secret.
const SecretReference = "/aws/reference/secretsmanager/"

// SealedWith is what a SecureString of the edition is bound to.
func (e *Edition) SealedWith(parameterARN string) map[string]string {
	return map[string]string{"PARAMETER_ARN": parameterARN, "berth:version": fmt.Sprint(e.Version)}
}
