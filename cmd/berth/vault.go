package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/server"
)

// vaultCommand is `berth vault rotate`.
func vaultCommand(ctx context.Context, args []string) error {
	fs, data := flags("vault rotate")
	if len(args) == 0 || args[0] != "rotate" {
		return misuse{errors.New("usage: berth vault rotate")}
	}
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	var done vault.Rotated
	if err := client.New(place).Post(ctx, server.VaultPath, struct{}{}, &done); err != nil {
		return err
	}
	fmt.Printf("new master key %s, %d keys wrapped with it; back up %s again\n", done.MasterKey, done.Keys, vault.File)
	return nil
}
