package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/plane/history"
	"github.com/berthhq/berth/server"
)

// serverCommand serves the control plane until it is told to stop.
func serverCommand(ctx context.Context, args []string) error {
	fs, data := flags("server")
	hooks := hookFlags{}
	c := server.Config{Hooks: hooks, RootKeyID: os.Getenv("BERTH_ROOT_ACCESS_KEY_ID"), RootSecret: os.Getenv("BERTH_ROOT_SECRET_ACCESS_KEY")}
	fs.StringVar(&c.Listen, "listen", "127.0.0.1:4566", "address of the APIs")
	fs.BoolVar(&c.Expose, "expose", false, "allow an address beyond loopback; everything is TLS there")
	fs.StringVar(&c.Home.Region, "region", "us-east-1", "home region; any region is served")
	fs.StringVar(&c.Home.Account, "account", "000000000000", "account id")
	fs.StringVar(&c.Storage, "storage", "", "socket of `berth storage`")
	fs.StringVar(&c.Objects, "objects", "", "socket of the objects of `berth storage`; empty for no S3")
	fs.StringVar(&c.EnvDir, "env", "", "folder that gets the env file for clients; default the data folder")
	fs.StringVar(&c.AgentToken, "agent-token", "", "file that gets a join token for this machine's agent")
	fs.BoolVar(&c.Bare, "bare", false, "begin with an account as AWS hands it out")
	fs.DurationVar(&c.KeepStopped, "keep-stopped", history.DefaultKeep, keepStoppedUsage)
	fs.Var(hooks, "hook", hookUsage)
	engines := &engineFlags{}
	fs.Var(engines, "engine", engineUsage)
	names := fs.String("names", "", "names and addresses of the certificate, with commas; default the listen address")
	fs.Func("event-reach", "`addresses` (CIDR, with commas) that API destinations may have; default loopback", func(text string) (err error) {
		c.EventReach, err = prefixes(text)
		return err
	})
	level := fs.String("log-level", "info", "debug, info, warn or error")
	peers := fs.String("peers", "", "reserved for several servers")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *peers != "" {
		return misuse{errors.New("--peers: several servers are not supported yet; run one")}
	}
	if err := checkKeepStopped(c.KeepStopped); err != nil {
		return err
	}
	c.Data, c.Log, c.Engines = *data, logger(*level), engines.engines
	if c.EnvDir == "" {
		c.EnvDir = *data
	}
	if *names != "" {
		c.Names = strings.Split(*names, ",")
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	c.Home = arn.Scope{Account: c.Home.Account, Region: c.Home.Region}
	return server.Run(ctx, c)
}

const keepStoppedUsage = "how long stopped tasks stay readable, at least 1h"

func checkKeepStopped(d time.Duration) error {
	if d < history.InStore {
		return misuse{fmt.Errorf("--keep-stopped %v: at least %v, as long as AWS describes stopped tasks", d, history.InStore)}
	}
	return nil
}

func prefixes(text string) (list []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
