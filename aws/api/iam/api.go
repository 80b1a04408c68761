// Package iam answers the operations of AWS Identity and Access Management: users,
// groups, roles, policies, access keys and instance profiles. IAM is global: an
// account has one state, in whatever region it is asked for.
// https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
//
// A file holds the operations of one resource. What the model constrains is checked
// before a handler is called; here is what it does not say. Users, groups and roles
// hold policies in the same way: holder.go finds them, attach.go and inline.go do
// the same to all of them.
package iam

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/berthhq/berth/store"
)

// Usage tells what was used when.
type Usage interface {
	// KeyUsed tells when an access key signed last; false for never.
	KeyUsed(id string) (LastUse, bool)
	// RoleUsed tells when a session of a role, named by its ARN, called last.
	RoleUsed(roleARN string) (LastUse, bool)
	// Services lists what a user or role, named by its ARN, has called.
	Services(principalARN string) []ServiceUse
}

// LastUse is when and where something was used last.
type LastUse struct {
	At      time.Time
	Service string // "ecs"
	Region  string
}

// ServiceUse is the last use of a service.
type ServiceUse struct {
	LastUse
	// Actions are its calls by name, "RunTask".
	Actions map[string]LastUse
}

// Config is what the API is built from.
type Config struct {
	Store store.Store
	Usage Usage // nil when nothing is recorded: then nothing was ever used
}

// API answers IAM.
type API struct {
	store   store.Store
	usage   Usage
	entropy io.Reader
}

// New makes the API.
func New(c Config) *API { return &API{store: c.Store, usage: c.Usage, entropy: rand.Reader} }
