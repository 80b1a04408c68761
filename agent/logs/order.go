package logs

import (
	"crypto/rand"
	"encoding/hex"
)

// Order says whose output it is and where it goes.
type Order struct {
	TaskARN   string `json:"taskArn"`
	TaskID    string `json:"taskId"`
	Container string `json:"container"` // name in the task definition
	RuntimeID string `json:"runtimeId"` // names the stream where there is no prefix
	Region    string `json:"region"`

	// Driver and Options are the container's logConfiguration. An empty Driver is
	// json-file.
	Driver  string            `json:"driver"`
	Options map[string]string `json:"options"`
	// Mode is the account's default for the option mode; empty is non-blocking.
	Mode string `json:"mode"`

	// Producer is made by Start.
	Producer string `json:"producer"`
}

// newProducer is unguessable, and of this attempt at the container only: offsets
// in its output begin at 0.
func newProducer() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
