package main

import (
	"context"

	recorder "github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/host"
)

// agentCommand runs the agent of this machine until it is told to stop; its tasks
// go on.
func agentCommand(ctx context.Context, args []string) error {
	fs, data := flags("agent")
	c := host.Config{Version: version}
	fs.StringVar(&c.Server, "server", "http://127.0.0.1:4566", "URL of the server")
	fs.StringVar(&c.TokenFile, "token", "", "file with a join token; needed once")
	fs.IntVar(&c.CPU, "cpu", 0, "CPU units to offer; 0 means all")
	fs.IntVar(&c.Memory, "memory", 0, "MiB of memory to offer; 0 means the machine's, less a reserve")
	fs.BoolVar(&c.OffersFargate, "fargate", false, "offer capacity to Fargate tasks")
	fs.IntVar(&c.Overcommit, "fargate-cpu-overcommit", 1, "how many times the CPU may be promised to Fargate tasks")
	isolation := fs.String("fargate-isolation", "gvisor", "gvisor or none")
	noEC2 := fs.Bool("no-ec2", false, "do not be a container instance")
	fs.BoolVar(&c.Privileged, "allow-privileged", false, "allow privileged tasks and pidMode host")
	fs.BoolVar(&c.Expose, "expose", false, "publish the host ports of tasks beyond loopback")
	fs.StringVar(&c.Zone, "zone", "a", "letter of the availability zone the machine is in")
	fs.BoolVar(&c.Edge, "edge", false, "say that this machine runs `berth edge` and can carry load balancers")
	fs.StringVar(&c.CapacityProvider, "capacity-provider", "", "capacity provider of its cluster that the instance belongs to")
	fs.StringVar(&c.Underlay, "underlay", "", "address of the machine for packets of VPCs between hosts, or none; empty means the one it reaches the server by")
	routed := fs.String("routed", "", "ranges of public addresses that the network leads to this machine, separated by commas")
	fs.StringVar(&c.HostsFile, "hosts-file", "", "hosts file to name load balancers in; empty means none")
	var imds imds
	imds.flags(fs)
	level := fs.String("log-level", "info", "debug, info, warn or error")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *routed != "" {
		var err error
		if c.Routed, err = prefixes(*routed); err != nil {
			return misuse{err}
		}
	}
	c.HopLimit, c.BlockIMDS = imds.hopLimit, imds.block
	c.Data, c.OffersEC2, c.Unsandboxed, c.Log = *data, !*noEC2, *isolation == "none", logger(*level)
	return host.Run(ctx, c)
}

// loggerCommand records what containers print; the agent starts it.
func loggerCommand(ctx context.Context, args []string) error {
	fs, _ := flags("logger")
	dir := fs.String("dir", "", "the agent's spool")
	if err := parse(fs, args); err != nil {
		return err
	}
	return recorder.RunLogger(ctx, *dir, logger("info"))
}
