package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/server"
)

// spotCommand is `berth spot interrupt TASK`.
func spotCommand(ctx context.Context, args []string) error {
	fs, data := flags("spot interrupt")
	cluster := fs.String("cluster", "default", "cluster of the task, when it is named by its id")
	usage := misuse{errors.New("usage: berth spot interrupt [--cluster C] TASK")}
	if len(args) == 0 || args[0] != "interrupt" {
		return usage
	}
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usage
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	var stopping server.InterruptResponse
	if err := client.New(place).Post(ctx, server.InterruptPath, server.InterruptRequest{Cluster: *cluster, Task: fs.Arg(0)}, &stopping); err != nil {
		return err
	}
	fmt.Println(stopping.TaskARN)
	return nil
}
