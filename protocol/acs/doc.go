// Package acs is the vocabulary of agent sessions: the messages of the ACS and
// TCS websockets that ECS's control plane and an amazon-ecs-agent exchange, and
// berth's own fields beside them.
//
// Frames are JSON text of the form {"type": T, "message": {...}} in both
// directions. TCS frames from the agent carry a block of HTTP header lines
// before the JSON; see SplitTelemetry.
//
// What the official dialect cannot carry rides in fields named "berth", which
// the official agent ignores and which are sent only to agents that registered
// the attribute BerthCapability.
package acs

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// BerthCapability is the attribute by which berth's own agent says that it reads
// the "berth" fields.
const BerthCapability = "berth.capability.order"

// Attributes by which our agent tells what it offers. They steer registration
// and are never shown.
const (
	AttributeOffersEC2         = "berth.offers.ec2"             // "false" hides the instance
	AttributeOffersFargate     = "berth.offers.fargate"         // "true" offers Fargate capacity
	AttributeFargateOvercommit = "berth.fargate-cpu-overcommit" // an integer, at least 1
	AttributeBootID            = "berth.boot-id"
	AttributeEdge              = "berth.edge"              // "true" where an edge carries load balancers
	AttributePrivateIP         = "berth.private-ip"        // the machine's address in its network
	AttributeUnderlay          = "berth.underlay"          // the address at which other hosts' packets of VPCs arrive; absent on a host by itself
	AttributeCapacityProvider  = "berth.capacity-provider" // the name of the one the instance belongs to
)

// Message types.
const (
	TypeHeartbeat            = "HeartbeatMessage"
	TypeHeartbeatAck         = "HeartbeatAckRequest"
	TypePayload              = "PayloadMessage"
	TypeAck                  = "AckRequest"
	TypeNack                 = "NackRequest"
	TypeCredentials          = "IAMRoleCredentialsMessage"
	TypeCredentialsAck       = "IAMRoleCredentialsAckRequest"
	TypeManifest             = "TaskManifestMessage"
	TypeStopVerification     = "TaskStopVerificationMessage"
	TypeStopVerificationAck  = "TaskStopVerificationAck"
	TypeAttachTaskInterfaces = "AttachTaskNetworkInterfacesMessage"
	TypeConfirmAttachment    = "ConfirmAttachmentMessage"
	TypeStageUpdate          = "StageUpdateMessage"
	TypePerformUpdate        = "PerformUpdateMessage"
	TypeClose                = "CloseMessage"
	TypeError                = "ErrorMessage"
	TypeInactiveInstance     = "InactiveInstanceException"

	// TypeInstanceCredentials is berth's own, sent to its own agent only.
	TypeInstanceCredentials = "BerthInstanceCredentialsMessage"
	// TypeNetworkStates is berth's own: what the host must know of its VPCs.
	TypeNetworkStates = "BerthNetworkStatesMessage"
	// TypeZones is berth's own: the names that tasks of the host may ask for.
	TypeZones = "BerthZonesMessage"
	// TypeMeshes is berth's own: what tasks of the host may call by Service Connect.
	TypeMeshes = "BerthMeshesMessage"

	TypePublishMetrics           = "PublishMetricsRequest"
	TypePublishHealth            = "PublishHealthRequest"
	TypePublishInstanceStatus    = "PublishInstanceStatusRequest"
	TypeAckPublishMetric         = "AckPublishMetric"
	TypeAckPublishHealth         = "AckPublishHealth"
	TypeAckPublishInstanceStatus = "AckPublishInstanceStatus"
)

// Frame is the envelope of every message.
type Frame struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

// Encode makes the frame of a message.
func Encode(kind string, message any) ([]byte, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	return json.Marshal(Frame{Type: kind, Message: body})
}

// Decode reads the envelope; the message is decoded by its type's own struct.
func Decode(data []byte) (Frame, error) {
	var f Frame
	if err := json.Unmarshal(data, &f); err != nil {
		return Frame{}, fmt.Errorf("decode frame: %w", err)
	}
	if f.Type == "" {
		return Frame{}, fmt.Errorf("decode frame: no type")
	}
	return f, nil
}

// SplitTelemetry parts a TCS frame of the agent into its HTTP header lines and
// its JSON. A frame without headers is all JSON.
func SplitTelemetry(data []byte) (headers, body []byte) {
	head, body, found := bytes.Cut(data, []byte("\r\n\r\n"))
	if !found {
		return nil, data
	}
	return head, body
}
