package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/host"
	"github.com/berthhq/berth/plane/edge"
)

// edgeCommand carries load balancers on this machine until it is told to stop, or until
// another edge with the same data folder takes over. SIGHUP starts that one from the
// program as it is now on disk: no connection notices.
func edgeCommand(ctx context.Context, args []string) error {
	fs, data := flags("edge")
	server := fs.String("server", "http://127.0.0.1:4566", "URL of the server")
	agent := fs.String("agent", "", "data folder of this machine's agent, whose keys the edge uses")
	level := fs.String("log-level", "info", "debug, info, warn or error")
	drain := fs.Duration("drain", 5*time.Minute, "how long connections may go on after another edge took over")
	var providers ranges
	fs.Var(&providers, "identity-providers", providersUsage)
	logEvery := fs.Duration("access-logs-every", 5*time.Minute, "how often access and connection logs are delivered")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *agent == "" {
		return misuse{errors.New("--agent names no folder")}
	}
	spaces, err := host.EdgeSpaces(*agent)
	if err != nil {
		return err
	}
	log := logger(*level)
	place, err := joined(ctx, *agent, *server)
	if err != nil {
		return err
	}
	go renewOnHangup(ctx)
	journal := edge.NewJournal(place, *logEvery, log)
	return edge.Run(ctx, edge.Config{
		Data: *data, Spaces: spaces, Place: place, Drain: *drain, Engines: edge.Engines(*data, journal, providers, log), Journal: journal, Log: log,
	})
}

// joined waits for the keys of the agent.
func joined(ctx context.Context, agent, server string) (place client.Place, err error) {
	err = poll(ctx, time.Hour, func(context.Context) (err error) {
		place, err = host.Keys(agent, server)
		return err
	})
	if err != nil {
		return place, fmt.Errorf("the agent has not joined: %w", err)
	}
	return place, nil
}

// renewOnHangup starts the edge that takes over from this one.
func renewOnHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		cmd := exec.Command(os.Args[0], os.Args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "berth edge: the edge after this one does not start:", err)
			continue
		}
		go func() { _ = cmd.Wait() }() // if it fails, this one goes on
	}
}

// edgeReady tells whether an edge with the data folder serves.
func edgeReady(ctx context.Context, data string) error {
	dir, err := os.Open(filepath.Clean(data))
	if err != nil {
		return err
	}
	defer dir.Close()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unixpacket", edge.Socket(dir))
	if err != nil {
		return err
	}
	return c.Close()
}
