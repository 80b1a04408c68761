// Package server is the control plane, wired: it builds the store, the APIs, the
// control loop and the agent sessions from one config, in the order in which
// they depend on each other, and starts and stops them.
package server

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/plane/relay"
)

// Config is all that a server is built from.
type Config struct {
	Data    string    // folder of its state
	Listen  string    // address of the APIs
	Expose  bool      // Listen may be beyond loopback; then everything is TLS
	Names   []string  // names and addresses its certificate is for
	Home    arn.Scope // account, and region of what the first start makes
	Storage string    // socket of the images of `berth storage`
	Objects string    // socket of its objects; empty for no S3
	Bare    bool      // begin with an account as AWS hands it out

	// RootKeyID and RootSecret are the administrator's key at first start;
	// generated when empty.
	RootKeyID, RootSecret string
	// EnvDir is where the env file for clients is written; empty for nowhere.
	EnvDir string
	// AgentToken is the file that gets a join token for the agent of this
	// machine; empty for none.
	AgentToken string
	// KeepStopped is how long stopped tasks stay readable, at least an hour; 0 for
	// a week.
	KeepStopped time.Duration
	// Hooks are the URLs that answer for the functions of lifecycle hooks and of
	// rotations of secrets, by ARN.
	Hooks map[string]string

	// Engines answer for services that berth does not do itself.
	Engines []relay.Engine

	// EventReach are the addresses that API destinations of EventBridge may have;
	// nil means loopback alone.
	EventReach []netip.Prefix

	Log *slog.Logger
	Now func() time.Time // nil means time.Now
}

// DefaultCluster is the cluster the first start makes.
const DefaultCluster = "default"
