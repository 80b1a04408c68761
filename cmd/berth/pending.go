package main

import (
	"context"
	"errors"
)

func simCommand(context.Context, []string) error {
	return errors.New("the simulator is not part of this build yet")
}
