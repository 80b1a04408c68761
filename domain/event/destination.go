package event

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// Ways in which a connection proves itself to an endpoint.
const (
	BasicAuth  = "BASIC"
	APIKeyAuth = "API_KEY"
)

// Connection is how to prove ourselves to an HTTP endpoint.
type Connection struct {
	Scope       arn.Scope
	Name        string
	ARN         string
	Description string
	Auth        string // BasicAuth or APIKeyAuth
	User        string // the user's name, or the API key's
	Secret      string // never shown and never logged
	Headers     []Parameter
	Query       []Parameter
	Body        []Parameter
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// Parameter is added to each request of a connection.
type Parameter struct {
	Key, Value string
	Secret     bool // the value is not shown
}

// Destination is an HTTP endpoint that events are sent to.
type Destination struct {
	Scope         arn.Scope
	Name          string
	ARN           string
	Description   string
	ConnectionARN string
	Endpoint      string // URL; each * in its path is a place for a target's values
	Method        string
	RatePerSecond int // most requests a second for each target
	CreatedAt     time.Time
	ChangedAt     time.Time
}
