package main

import (
	"context"
	"errors"
)

func agentCommand(context.Context, []string) error {
	return errors.New("the agent is not part of this build yet")
}
func simCommand(context.Context, []string) error {
	return errors.New("the simulator is not part of this build yet")
}

// agentBuilt is true once `berth up` can start an agent.
const agentBuilt = false
