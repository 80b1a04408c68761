package acs

import "github.com/berthhq/berth/domain/discovery"

// Zones are the names that the host's tasks may ask for, by VPC, and those of the host
// itself: zones that differ from what this session sent before, each whole.
type Zones struct {
	MessageID string           `json:"messageId"`
	Zones     []discovery.Zone `json:"zones"`
	// Complete is true of the first of a session: the host needs no other zones.
	Complete bool `json:"complete,omitempty"`
}
