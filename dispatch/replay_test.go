package dispatch_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// record is one line of testdata: what an unmodified amazon-ecs-agent 1.105.1 and
// a control plane said to each other.
type record struct {
	Kind  string              `json:"kind"`
	Op    string              `json:"op"`    // of an API call
	In    json.RawMessage     `json:"in"`    // of an API call
	Auth  string              `json:"auth"`  // of an API call: tells whose keys signed
	Path  string              `json:"path"`  // of a connection
	Query map[string][]string `json:"query"` // of a connection
	Msg   json.RawMessage     `json:"msg"`   // a frame; heartbeats sent have only their type
	Type  string              `json:"type"`
	Head  string              `json:"head"` // header lines before a TCS frame
}

func records(t *testing.T, path string) []record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%s: %d records, %v", path, len(out), err)
	}
	return out
}

// TestTheOfficialAgentIsServed plays the agent's part of recorded exchanges,
// signed anew and rewritten to our names, against a server of ours; where the
// recorded control plane acted, the test asks ours for the same through its API,
// and checks that the agent is told what it was told then.
func TestTheOfficialAgentIsServed(t *testing.T) {
	p := newPlayer(t)
	for _, name := range []string{"tasks-credentials-manifest", "secrets-health-restart"} { // the second after a restart of the agent
		for n, r := range records(t, "testdata/"+name+".jsonl") {
			p.at = name + " " + strconv.Itoa(n)
			p.play(r)
		}
	}
	p.checkEnd()
}

func (p *player) play(r record) {
	switch r.Kind {
	case "api":
		p.call(r)
	case "acs-connect":
		p.connect(&p.acs, r, "endpoint")
		p.greeted()
	case "tcs-connect":
		p.connect(&p.tcs, r, "telemetryEndpoint")
	case "acs-end":
		p.acs.close()
	case "tcs-end":
		p.tcs.close()
	case "acs-sent":
		p.told(r)
	case "tcs-sent":
		p.tcs.expect(p, acs.TypeHeartbeat)
	case "acs-recv":
		p.say(r)
	case "tcs-recv":
		p.publish(r)
	default:
		p.fatal("unknown kind %q", r.Kind)
	}
}

// told makes our control plane say what the recorded one said.
func (p *player) told(r record) {
	if r.Type == acs.TypeHeartbeat {
		p.heard = id(p.acs.expect(p, acs.TypeHeartbeat))
		return
	}
	f, err := acs.Decode(r.Msg)
	if err != nil {
		p.fatal("%v", err)
	}
	switch f.Type {
	case acs.TypePayload:
		var m acs.Payload
		p.read(f.Message, &m)
		for i := range m.Tasks {
			p.order(m.MessageID, &m.Tasks[i])
		}
	case acs.TypeCredentials:
		var m acs.Credentials
		p.read(f.Message, &m)
		p.renew(&m)
	case acs.TypeManifest:
		p.forget(id(f.Message))
	case acs.TypeStopVerificationAck:
		var want, got acs.StopVerificationAck
		p.read([]byte(p.rewrite(string(f.Message))), &want)
		p.read(p.acs.expect(p, f.Type), &got)
		if got.MessageID != want.MessageID || len(got.StopTasks) != 1 || got.StopTasks[0] != want.StopTasks[0] {
			p.fatal("stops verified as %+v, want %+v", got, want)
		}
	case acs.TypeHeartbeat:
		p.heard = id(p.acs.expect(p, acs.TypeHeartbeat))
	default:
		p.fatal("the recorded control plane said %s", f.Type)
	}
}

// order starts or stops a task through the API, and receives its payload.
func (p *player) order(messageID string, recorded *acs.Task) {
	if recorded.DesiredStatus == "STOPPED" {
		p.do("StopTask", map[string]any{"cluster": "default", "task": p.names[recorded.ARN]})
	} else {
		p.start(recorded)
	}
	var got acs.Payload
	p.read(p.acs.expect(p, acs.TypePayload), &got)
	if len(got.Tasks) != 1 || got.Tasks[0].ARN != p.names[recorded.ARN] || got.Tasks[0].DesiredStatus != recorded.DesiredStatus {
		p.fatal("the payload has %+v", got.Tasks)
	}
	if got.SeqNum <= p.sequence {
		p.fatal("sequence number %d after %d", got.SeqNum, p.sequence)
	}
	p.sequence = got.SeqNum
	p.names[messageID] = got.MessageID
	if recorded.DesiredStatus == "RUNNING" {
		p.compare(recorded, &got.Tasks[0])
	}
	p.learnKeys(recorded.RoleCredentials, got.Tasks[0].RoleCredentials)
	p.learnKeys(recorded.ExecutionRoleCredentials, got.Tasks[0].ExecutionRoleCredentials)
}

// renew makes the task's keys due, so that a heartbeat brings new ones.
func (p *player) renew(recorded *acs.Credentials) {
	arn := p.names[recorded.TaskARN]
	p.server.Put(p.t, func(tx *store.Tx) {
		for k := range store.AccessKeys.By(tx, store.AccessKeysByTask, arn) {
			soon := *k
			soon.ExpiresAt = soon.CreatedAt
			store.AccessKeys.Put(tx, &soon)
		}
	})
	for {
		var got acs.Credentials
		p.read(p.acs.expect(p, acs.TypeCredentials), &got)
		if got.RoleType != recorded.RoleType {
			continue
		}
		if got.TaskARN != arn || got.RoleCredentials.CredentialsID != p.names[recorded.RoleCredentials.CredentialsID] {
			p.fatal("renewed %+v", got)
		}
		p.names[recorded.MessageID] = got.MessageID
		return
	}
}

// forget makes the control plane forget every task, as after a restore from an
// old backup. The list of tasks comes with a new session.
func (p *player) forget(messageID string) {
	p.server.Put(p.t, func(tx *store.Tx) {
		for t := range store.Tasks.All(tx) {
			store.Tasks.Delete(tx, t.ARN)
			p.forgotten[t.ARN] = true
		}
		i, _ := store.Instances.Get(tx, p.instance)
		idle := *i
		idle.Used = cluster.Usage{}
		store.Instances.Put(tx, &idle)
	})
	p.acs.close()
	p.connect(&p.acs, p.acs.opened, "endpoint")
	m := p.greeted()
	if len(m.Tasks) != 0 {
		p.fatal("the manifest has %+v", m.Tasks)
	}
	p.names[messageID] = m.MessageID
}

// checkEnd looks at what came of it all.
func (p *player) checkEnd() {
	v := p.server.Store.View()
	for t := range store.Tasks.All(v) {
		switch family := store.Family(t); {
		case family == "sec" && t.LastStatus() == task.Running && t.Observed.Containers[0].Health == task.Healthy:
		case family != "sec" && t.LastStatus() == task.Stopped:
		default:
			p.t.Errorf("%s ends %s with %+v", family, t.LastStatus(), t.Observed)
		}
	}
	i, ok := store.Instances.Get(v, p.instance)
	if !ok || !i.Connected || i.Health != "OK" || i.Used.Tasks != 1 || i.Agent.Version != "1.105.1" || i.Agent.DockerVersion == "" {
		p.t.Errorf("the instance ends as %+v", i)
	}
	if p.submitted == 0 || p.published == 0 {
		p.t.Errorf("%d reports and %d publications were played", p.submitted, p.published)
	}
}

// signer is whose keys a recorded call was signed with.
func (r *record) signer() string {
	_, after, _ := strings.Cut(r.Auth, "Credential=")
	id, scope, _ := strings.Cut(after, "/")
	parts := strings.Split(scope, "/")
	if len(parts) < 3 {
		return id + " "
	}
	return id + " " + parts[2]
}
