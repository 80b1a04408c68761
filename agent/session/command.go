package session

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
)

// command holds one ACS session until it ends.
func (s *Session) command(ctx context.Context) error {
	base, _, err := s.endpoints(ctx)
	if err != nil {
		return err
	}
	ws, err := s.dial(ctx, base, url.Values{
		"clusterArn": {s.Cluster}, "containerInstanceArn": {s.instance}, "agentVersion": {s.Version}, "agentHash": {"berth"},
		"protocolVersion": {"2"}, "sendCredentials": {"true"}, "seqNum": {"1"},
	})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	for {
		f, err := next(ctx, ws)
		if err != nil {
			return err
		}
		if err := s.hear(ctx, ws, f); err != nil {
			return err
		}
	}
}

// next reads a frame; a session that is silent for too long has ended.
func next(ctx context.Context, ws *websocket.Conn) (acs.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, data, err := ws.Read(ctx)
	if err != nil {
		return acs.Frame{}, err
	}
	return acs.Decode(data)
}

func (s *Session) hear(ctx context.Context, ws *websocket.Conn, f acs.Frame) error {
	switch f.Type {
	case acs.TypeHeartbeat:
		var m acs.Heartbeat
		if err := json.Unmarshal(f.Message, &m); err != nil {
			return err
		}
		return write(ctx, ws, acs.TypeHeartbeatAck, acs.HeartbeatAck{MessageID: m.MessageID})
	case acs.TypePayload:
		return s.payload(ctx, ws, f.Message)
	case acs.TypeCredentials:
		return s.credentials(ctx, ws, f.Message)
	case acs.TypeInstanceCredentials:
		return s.show(f.Message)
	case acs.TypeNetworkStates:
		return s.roads(ctx, f.Message)
	case acs.TypeZones:
		return s.names(f.Message)
	case acs.TypeMeshes:
		return s.calls(f.Message)
	case acs.TypeManifest:
		return s.manifest(ctx, ws, f.Message)
	case acs.TypeStopVerificationAck:
		var m acs.StopVerificationAck
		if err := json.Unmarshal(f.Message, &m); err != nil {
			return err
		}
		for _, t := range m.StopTasks {
			s.Tasks.Stop(t.TaskARN, "The task is not known to the control plane")
		}
	}
	return nil
}

// payload hands orders on and acknowledges once they are taken.
func (s *Session) payload(ctx context.Context, ws *websocket.Conn, message json.RawMessage) error {
	var m acs.Payload
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	for i := range m.Tasks {
		if o := m.Tasks[i].Berth; o != nil {
			if err := s.Tasks.Order(o); err != nil {
				return err // unacknowledged: the next session tells it again
			}
		}
	}
	return s.ack(ctx, ws, m.MessageID)
}

func (s *Session) credentials(ctx context.Context, ws *websocket.Conn, message json.RawMessage) error {
	var m acs.Credentials
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	c := m.RoleCredentials
	keys, err := readKeys(&c)
	if err != nil {
		return err
	}
	s.Tasks.Renew(m.TaskARN, m.RoleType, *keys)
	return write(ctx, ws, acs.TypeCredentialsAck, acs.CredentialsAck{MessageID: m.MessageID, CredentialsID: c.CredentialsID, Expiration: c.Expiration})
}

func readKeys(c *acs.RoleCredentials) (*task.Credentials, error) {
	expires, err := time.Parse(time.RFC3339, c.Expiration)
	if err != nil {
		return nil, err
	}
	return &task.Credentials{
		ID: c.CredentialsID, RoleARN: c.RoleARN, AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		SessionToken: c.SessionToken, Expiration: expires,
	}, nil
}

// show takes the keys that the machine shows; a repetition needs no answer.
func (s *Session) show(message json.RawMessage) error {
	var m acs.InstanceCredentials
	if err := json.Unmarshal(message, &m); err != nil || s.Show == nil {
		return err
	}
	if m.RoleCredentials == nil {
		s.Show(m.ProfileARN, nil)
		return nil
	}
	keys, err := readKeys(m.RoleCredentials)
	if err == nil {
		s.Show(m.ProfileARN, keys)
	}
	return err
}

// roads hands states of VPCs on. They need no answer: the next session tells all anew.
func (s *Session) roads(ctx context.Context, message json.RawMessage) error {
	var m acs.NetworkStates
	if err := json.Unmarshal(message, &m); err != nil || s.Roads == nil {
		return err
	}
	s.Roads(ctx, m.States, m.Complete)
	return nil
}

// names hands zones on; they need no answer either.
func (s *Session) names(message json.RawMessage) error {
	var m acs.Zones
	if err := json.Unmarshal(message, &m); err != nil || s.Names == nil {
		return err
	}
	s.Names(m.Zones, m.Complete)
	return nil
}

// calls hands meshes on; they need no answer either.
func (s *Session) calls(message json.RawMessage) error {
	var m acs.Meshes
	if err := json.Unmarshal(message, &m); err != nil || s.Calls == nil {
		return err
	}
	s.Calls(m.Meshes)
	return nil
}

// manifest compares what we run with what we should, and asks before it stops
// anything: a restored control plane may have forgotten tasks that matter.
func (s *Session) manifest(ctx context.Context, ws *websocket.Conn, message json.RawMessage) error {
	var m acs.Manifest
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	var strays []acs.TaskIdentity
	for _, arn := range s.Tasks.Unfinished() {
		known := slices.ContainsFunc(m.Tasks, func(t acs.TaskIdentity) bool { return t.TaskARN == arn })
		if !known {
			strays = append(strays, acs.TaskIdentity{TaskARN: arn, TaskClusterARN: m.ClusterARN, DesiredStatus: task.Stopped.String()})
		}
	}
	if len(strays) > 0 {
		if err := write(ctx, ws, acs.TypeStopVerification, acs.StopVerification{MessageID: m.MessageID, StopCandidates: strays}); err != nil {
			return err
		}
	}
	return s.ack(ctx, ws, m.MessageID)
}

func (s *Session) ack(ctx context.Context, ws *websocket.Conn, id string) error {
	return write(ctx, ws, acs.TypeAck, acs.Ack{Cluster: s.Cluster, ContainerInstance: s.instance, MessageID: id})
}

func write(ctx context.Context, ws *websocket.Conn, kind string, message any) error {
	data, err := acs.Encode(kind, message)
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, data)
}
