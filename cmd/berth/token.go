package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/server"
)

// tokenCommand is `berth token create`.
func tokenCommand(ctx context.Context, args []string) error {
	fs, data := flags("token create")
	cluster := fs.String("cluster", "default", "cluster that the machine joins")
	role := fs.String("role", "ecsInstanceRole", "instance role that its keys belong to")
	if len(args) == 0 || args[0] != "create" {
		return misuse{errors.New("usage: berth token create [--cluster C] [--role R]")}
	}
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	var made server.TokenResponse
	if err := client.New(place).Post(ctx, server.TokenPath, server.TokenRequest{Cluster: *cluster, Role: *role}, &made); err != nil {
		return err
	}
	fmt.Println(made.Token)
	return nil
}
