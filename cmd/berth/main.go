// Command berth is Amazon ECS on your own machines. Each subcommand has a file:
// it turns flags into a config and calls the package that does the work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/berthhq/berth/client"
)

// version is set by the linker.
var version = "dev"

// Exit codes of the command line.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

type command struct {
	name  string
	about string
	run   func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"up", "start berth on this machine, all roles", up},
		{"down", "stop the berth of a data folder", down},
		{"env", "print the variables by which AWS clients find berth", env},
		{"aws", "run the installed aws CLI against berth", awsCLI},
		{"run", "run an image as a task and return its exit code", run},
		{"logs", "print the logs of a task or a service", logs},
		{"why", "tell why a task or a service is as it is, and what to do", whyCommand},
		{"audit", "tell what to mend in roles, secrets, images and ports; log: print who asked for what", auditCommand},
		{"iam", "suggest, unused, try, trial: least privilege from what roles were seen to do", iamCommand},
		{"image", "load FILE [NAME:TAG]: put an image archive in the registry", imageCommand},
		{"token", "create: make a token by which a machine joins", tokenCommand},
		{"vault", "rotate: make a new master key for all that is encrypted", vaultCommand},
		{"spot", "interrupt TASK: take a task's Fargate Spot capacity back", spotCommand},
		{"doctor", "tell what this host lacks, and how to mend it", doctorCommand},
		{"server", "the control plane", serverCommand},
		{"agent", "the agent of a host", agentCommand},
		{"edge", "the data plane of load balancers on a host", edgeCommand},
		{"storage", "the image registry, and the objects of S3", storageCommand},
		{"logger", "record what containers print (the agent starts it)", loggerCommand},
		{"sim", "simulate clusters with faults", simCommand},
		{"version", "print the version", printVersion},
	}
}

func main() {
	if hidden(os.Args) {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(os.Stdout)
		return exitDone
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:])
		var status exitStatus
		switch {
		case err == nil || errors.Is(err, flag.ErrHelp):
			return exitDone
		case errors.As(err, &status):
			return int(status)
		case errors.As(err, new(misuse)):
			fmt.Fprintf(os.Stderr, "berth %s: %v\n", c.name, err)
			return exitMisuse
		}
		fmt.Fprintf(os.Stderr, "berth %s: %v\n", c.name, err)
		return exitFailed
	}
	fmt.Fprintf(os.Stderr, "berth: no command %q; `berth help` lists them\n", args[0])
	return exitMisuse
}

// misuse is an error in how berth was called.
type misuse struct{ error }

// exitStatus ends berth with another program's exit code, silently.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func usage(w io.Writer) {
	fmt.Fprintln(w, "berth is Amazon ECS on your own machines.\n\nusage: berth COMMAND [flags]")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s  %s\n", c.name, c.about)
	}
	fmt.Fprintln(w, "\n`berth COMMAND --help` lists a command's flags.")
}

// flags makes the flag set of a command, with the --data flag that all share.
func flags(name string) (*flag.FlagSet, *string) {
	fs := flag.NewFlagSet("berth "+name, flag.ContinueOnError)
	return fs, fs.String("data", client.DefaultData(), "folder of berth's state")
}

func parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return misuse{err}
	}
	return err
}

func logger(level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
}

func printVersion(context.Context, []string) error {
	fmt.Println("berth", version)
	return nil
}
