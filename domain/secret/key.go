package secret

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
)

// KeyState says what a key can be used for.
type KeyState string

// States of keys.
const (
	Enabled         KeyState = "Enabled"
	Disabled        KeyState = "Disabled"
	PendingDeletion KeyState = "PendingDeletion"
)

// Key is a symmetric KMS key.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
type Key struct {
	Scope       arn.Scope
	ID          string // a UUID
	ARN         string
	Managed     bool // by AWS: made on first use, for one service
	Description string
	State       KeyState
	Policy      string // JSON as it was given; empty for the default one
	Tags        []workload.Tag
	// Materials are what the key encrypts with, oldest first: the last encrypts,
	// all decrypt.
	Materials []Material
	CreatedAt time.Time
	DeleteAt  time.Time // zero unless PendingDeletion
	Window    int32     // days of waiting before the deletion

	RotateEvery int32     // days; 0 while automatic rotation is off
	RotateAt    time.Time // zero while it is off
}

// Material is a key's secret, wrapped by a master key of the vault.
type Material struct {
	ID        string // 64 hex digits
	Wrapped   []byte
	CreatedAt time.Time
}

// Alias is a second name of a key.
type Alias struct {
	Scope     arn.Scope
	Name      string // "alias/..."
	ARN       string
	KeyID     string
	CreatedAt time.Time
	ChangedAt time.Time
}

// AliasPrefix begins every alias, ManagedPrefix those of keys that AWS manages.
const (
	AliasPrefix   = "alias/"
	ManagedPrefix = "alias/aws/"
)

// KeyARN is the ARN of the key of that id.
func KeyARN(scope arn.Scope, id string) string { return scope.Of("kms", "key/"+id) }

// AliasARN is the ARN of an alias.
func AliasARN(scope arn.Scope, name string) string { return scope.Of("kms", name) }

// KeyName is what a key is called by a caller: an id or an alias, and where.
type KeyName struct {
	Scope arn.Scope
	ID    string // empty for an alias
	Alias string
}

// ReadKeyName reads an id, an alias or the ARN of either. ok is false for what is none.
func ReadKeyName(scope arn.Scope, text string) (n KeyName, ok bool) {
	n.Scope = scope
	if a, err := arn.Parse(text); err == nil {
		if a.Service != "kms" {
			return n, false
		}
		n.Scope, text = a.Scope(), a.Resource
		if id, isKey := strings.CutPrefix(text, "key/"); isKey {
			n.ID = id
			return n, id != ""
		}
		n.Alias = text
		return n, strings.HasPrefix(text, AliasPrefix)
	}
	if strings.HasPrefix(text, AliasPrefix) {
		n.Alias = text
		return n, true
	}
	n.ID = text
	return n, text != "" && !strings.Contains(text, "/")
}

// Gone tells whether the time to cancel its deletion is over.
func (k *Key) Gone(now time.Time) bool { return k.State == PendingDeletion && !now.Before(k.DeleteAt) }

// Usable is nil for a key that may encrypt and decrypt.
func (k *Key) Usable() error {
	switch k.State {
	case Disabled:
		return fault.New(fault.KeyDisabled, "%s is disabled.", k.ARN).WithHint("aws kms enable-key --key-id %s", k.ID)
	case PendingDeletion:
		return fault.New(fault.KeyInvalidState, "%s is pending deletion.", k.ARN).WithHint("aws kms cancel-key-deletion --key-id %s", k.ID)
	}
	return nil
}

// DefaultPolicy is a key's that was given none: all power to the account, which
// hands it on by IAM's policies.
func DefaultPolicy(scope arn.Scope) string {
	return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "` + scope.Global("iam", "root") + `"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
}

// managedPolicy lets an account use a key that AWS manages through its service only.
func managedPolicy(scope arn.Scope, service string) string {
	return `{
  "Version" : "2012-10-17",
  "Id" : "auto-` + service + `-1",
  "Statement" : [ {
    "Sid" : "Allow use by principals of the account through the service",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "` + scope.Account + `",
        "kms:ViaService" : "` + service + `.` + scope.Region + `.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "` + scope.Global("iam", "root") + `"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`
}

// NewManaged is the key that AWS manages for a service, still without material.
func NewManaged(scope arn.Scope, service, id string, now time.Time) (*Key, *Alias) {
	name := ManagedPrefix + service
	k := &Key{
		Scope: scope, ID: id, ARN: KeyARN(scope, id), Managed: true, State: Enabled, Policy: managedPolicy(scope, service),
		Description: "Default key that protects what " + service + " keeps when no other key is defined",
		CreatedAt:   now, RotateEvery: 365, RotateAt: now.AddDate(1, 0, 0),
	}
	a := &Alias{Scope: scope, Name: name, ARN: AliasARN(scope, name), KeyID: id, CreatedAt: now, ChangedAt: now}
	return k, a
}

// ResourcePolicy is the policy in force.
func (k *Key) ResourcePolicy() string {
	if k.Policy == "" {
		return DefaultPolicy(k.Scope)
	}
	return k.Policy
}
