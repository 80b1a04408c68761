// Package session is the agent's side of its sessions with the control plane: it
// registers the machine, receives orders over ACS, publishes health over TCS, and
// submits what became of tasks.
//
// The control plane tells everything anew on each connection, and the consumer
// of orders is idempotent by task ARN, so nothing about a session is kept on disk
// but the instance's ARN.
package session

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Tasks is what runs orders.
type Tasks interface {
	// Order begins a task, or changes what is wanted of a known one. It is on
	// disk when there is no error.
	Order(o *task.Order) error
	// Renew replaces the keys of a role: use is acs.RoleTaskApplication or
	// acs.RoleTaskExecution.
	Renew(taskARN, use string, c task.Credentials)
	// Unfinished lists the tasks that have not stopped here.
	Unfinished() []string
	// Stop ends a task that the control plane does not want here.
	Stop(taskARN, reason string)
	// Health reports the containers that have a health check, by task.
	Health() []acs.TaskHealth
	// Metrics reports what tasks used since it was last asked.
	Metrics() []acs.TaskMetric
}

// Config is what a Session needs.
type Config struct {
	Server  client.Place
	TLS     *tls.Config // nil on plain HTTP
	Cluster string      // ARN or name
	Data    string      // folder that keeps the instance's ARN

	InstanceID string // "i-...", from the join
	// Identity proves InstanceID; without a document, which machines lack that joined
	// before there were any, the keys alone do.
	Identity   join.Identity
	Zone       string
	Resources  cluster.Resources
	Attributes []workload.Attribute
	Version    string

	Tasks Tasks
	// Show takes the keys of the instance profile's role that the machine shows to
	// its programs; keys are nil when the role is gone. nil for nobody.
	Show func(profileARN string, keys *task.Credentials)
	// Roads takes the states of VPCs; complete means that the host has to do with no
	// others. nil for nobody.
	Roads func(ctx context.Context, states []network.State, complete bool)
	// Names takes zones; complete means that no others are needed any more. nil for
	// nobody.
	Names func(zones []discovery.Zone, complete bool)
	// Calls takes all that tasks may call by Service Connect. nil for nobody.
	Calls func(meshes []discovery.Mesh)
	Log   *slog.Logger
}

// Session speaks for one instance.
type Session struct {
	Config
	api      *client.Client
	instance string // ARN; set by Register
}

// New makes a Session. Register comes first, then Run.
func New(c Config) *Session {
	return &Session{Config: c, api: client.New(c.Server)}
}

// Instance is the container instance's ARN, once registered.
func (s *Session) Instance() string { return s.instance }

// Reconnection delays: the first at once, then growing, with a jitter so that a
// thousand agents do not come at the same moment.
const (
	firstPause = 250 * time.Millisecond
	maxPause   = 20 * time.Second
	// silence is how long a session may say nothing before we give it up: the
	// server's heartbeats come every 25 seconds.
	silence = 75 * time.Second
)

// Run holds the sessions until ctx ends.
func (s *Session) Run(ctx context.Context) error {
	done := make(chan struct{}, 2)
	for _, talk := range []func(context.Context) error{s.command, s.telemetry} {
		go func() {
			s.keep(ctx, talk)
			done <- struct{}{}
		}()
	}
	<-done
	<-done
	return ctx.Err()
}

// keep reconnects for as long as ctx lives.
func (s *Session) keep(ctx context.Context, talk func(context.Context) error) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := talk(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			pause = firstPause
		}
		s.Log.Warn("session ended, connecting again", "err", err, "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, maxPause)
	}
}

// Register registers the machine, or registers it again under the ARN it has.
func (s *Session) Register(ctx context.Context) error {
	saved, _ := os.ReadFile(s.arnFile())
	in := map[string]any{
		"cluster": s.Cluster, "attributes": attributes(s.Attributes), "totalResources": resources(&s.Resources),
		"instanceIdentityDocument":          cmp.Or(s.Identity.Document, fmt.Sprintf(`{"instanceId":%q,"availabilityZone":%q}`, s.InstanceID, s.Zone)),
		"instanceIdentityDocumentSignature": s.Identity.Signature,
		"versionInfo":                       map[string]string{"agentVersion": s.Version, "agentHash": "berth", "dockerVersion": "containerd"},
	}
	if arn := strings.TrimSpace(string(saved)); arn != "" {
		in["containerInstanceArn"] = arn
	}
	var out struct {
		Instance struct {
			ARN string `json:"containerInstanceArn"`
		} `json:"containerInstance"`
	}
	if err := s.api.Call(ctx, client.ECS, "RegisterContainerInstance", in, &out); err != nil {
		return err
	}
	s.instance = out.Instance.ARN
	part := s.arnFile() + ".part"
	if err := os.WriteFile(part, []byte(s.instance+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.arnFile())
}

func (s *Session) arnFile() string { return filepath.Join(s.Data, "instance") }

func attributes(list []workload.Attribute) []map[string]string {
	out := make([]map[string]string, len(list))
	for i, a := range list {
		out[i] = map[string]string{"name": a.Name}
		if a.Value != "" {
			out[i]["value"] = a.Value
		}
	}
	return out
}

func resources(r *cluster.Resources) []map[string]any {
	ports := func(list []int) []string {
		out := make([]string, len(list))
		for i, p := range list {
			out[i] = fmt.Sprint(p)
		}
		return out
	}
	out := []map[string]any{
		{"name": "CPU", "type": "INTEGER", "integerValue": r.CPU},
		{"name": "MEMORY", "type": "INTEGER", "integerValue": r.Memory},
		{"name": "PORTS", "type": "STRINGSET", "stringSetValue": ports(r.PortsTCP)},
		{"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": ports(r.PortsUDP)},
	}
	if len(r.GPUs) > 0 {
		out = append(out, map[string]any{"name": "GPU", "type": "STRINGSET", "stringSetValue": r.GPUs})
	}
	return out
}

// dial opens a signed websocket of the instance.
func (s *Session) dial(ctx context.Context, base string, query url.Values) (*websocket.Conn, error) {
	address := strings.TrimSuffix(base, "/") + "/ws?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	keys := sigv4.Keys{ID: s.Server.AccessKeyID, Secret: s.Server.Secret, Token: s.Server.SessionToken}
	if err := sigv4.Sign(req, nil, keys, "ecs", s.Server.Region, time.Now()); err != nil {
		return nil, err
	}
	ws, answer, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPHeader: req.Header, CompressionMode: websocket.CompressionDisabled,
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: s.TLS}},
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", base, cmp.Or(refusal(answer), err))
	}
	ws.SetReadLimit(16 << 20)
	return ws, nil
}

// refusal is what the server says when it opens no session, of which the library keeps
// 1024 bytes; nil when there is no answer at all.
func refusal(answer *http.Response) error {
	if answer == nil {
		return nil
	}
	words, err := io.ReadAll(answer.Body)
	return cmp.Or(err, fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(words))))
}

// endpoints asks where the sessions are.
func (s *Session) endpoints(ctx context.Context) (acsBase, tcsBase string, err error) {
	var out struct {
		ACS string `json:"endpoint"`
		TCS string `json:"telemetryEndpoint"`
	}
	err = s.api.Call(ctx, client.ECS, "DiscoverPollEndpoint", map[string]any{"cluster": s.Cluster, "containerInstance": s.instance}, &out)
	if err == nil && (out.ACS == "" || out.TCS == "") {
		err = errors.New("the server names no session endpoints")
	}
	return out.ACS, out.TCS, err
}
