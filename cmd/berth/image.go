package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/plane/registry/load"
)

// imageCommand is `berth image load FILE [NAME:TAG]`.
func imageCommand(ctx context.Context, args []string) error {
	fs, data := flags("image load")
	if len(args) == 0 || args[0] != "load" {
		return misuse{errors.New("usage: berth image load FILE [NAME:TAG]")}
	}
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	if fs.NArg() < 1 || fs.NArg() > 2 {
		return misuse{errors.New("usage: berth image load FILE [NAME:TAG]")}
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	account, password, err := client.New(place).RegistryLogin(ctx)
	if err != nil {
		return err
	}
	target := load.Target{Endpoint: place.Endpoint, Account: account, Password: password, Client: place.Transport()}
	var loaded []load.Loaded
	if fs.Arg(0) == "-" {
		loaded, err = load.Stream(ctx, target, os.Stdin, "standard input", fs.Arg(1), nil)
	} else {
		loaded, err = load.File(ctx, target, fs.Arg(0), fs.Arg(1), nil)
	}
	if err != nil {
		return err
	}
	for _, l := range loaded {
		fmt.Printf("loaded %s %s\n", l.Name, l.Digest)
	}
	return nil
}
