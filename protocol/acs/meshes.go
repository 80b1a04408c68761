package acs

import "github.com/berthhq/berth/domain/discovery"

// Meshes are all that the host's tasks may call by Service Connect.
type Meshes struct {
	MessageID string           `json:"messageId"`
	Meshes    []discovery.Mesh `json:"meshes"`
}
