package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/protocol/trail"
	"github.com/berthhq/berth/server"
)

const auditUsage = "usage: berth audit log [--follow] [--since 10m] [--principal P] [--action ecs:RunTask] [--denied] [--output table|json]"

// auditLook is how often it is looked for more.
const auditLook = 500 * time.Millisecond

type auditFlags struct {
	trail.Filter
	data, output string
	follow       bool
}

func parseAudit(args []string, now time.Time) (*auditFlags, error) {
	a := &auditFlags{}
	fs, data := flags("audit log")
	since := fs.Duration("since", 0, "how far back; default all that is kept, with --follow nothing")
	fs.BoolVar(&a.follow, "follow", false, "go on until interrupted")
	fs.StringVar(&a.Principal, "principal", "", "only calls of this one: an ARN, or the name of a user, role or session")
	fs.StringVar(&a.Action, "action", "", "only calls that needed this action, such as ecs:RunTask or iam:PassRole")
	fs.BoolVar(&a.Denied, "denied", false, "only what somebody was not allowed to")
	fs.StringVar(&a.output, "output", "table", "table or json")
	if err := parse(fs, args[1:]); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, misuse{errors.New(auditUsage)}
	case a.output != "table" && a.output != "json":
		return nil, misuse{fmt.Errorf("--output %q: use table or json", a.output)}
	}
	a.data = *data
	if *since > 0 || a.follow {
		a.Since = now.Add(-*since).Truncate(time.Second) // records know no fractions
	}
	return a, nil
}

// auditCommand is `berth audit` and `berth audit log`.
func auditCommand(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "log" {
		return auditLog(ctx, args)
	}
	return auditReport(ctx, args)
}

// auditLog prints what the audit of this machine's server has. It reads the files
// themselves, so that it works while the server is down.
func auditLog(ctx context.Context, args []string) error {
	a, err := parseAudit(args, time.Now())
	if err != nil {
		return err
	}
	current, err := auditFile(a.data)
	if err != nil {
		return err
	}
	files, err := trail.Files(current)
	if err != nil {
		return err
	}
	for _, file := range files {
		if a.follow && file == current {
			continue // followed from its beginning
		}
		if err := a.printFile(file); err != nil {
			return err
		}
	}
	if !a.follow {
		return nil
	}
	return a.printTail(ctx, current)
}

// auditFile finds the audit below the data folder of `berth up`, or of a server.
func auditFile(data string) (string, error) {
	for _, file := range []string{filepath.Join(data, "server", server.AuditFile), filepath.Join(data, server.AuditFile)} {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("no audit below %s: run it on the machine of `berth server`, as its user, with that server's --data", data)
}

func (a *auditFlags) printFile(file string) error {
	for r, err := range trail.Read(file) {
		if err == nil {
			err = a.print(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *auditFlags) printTail(ctx context.Context, current string) error {
	tail, err := trail.Open(current)
	if err != nil {
		return err
	}
	defer tail.Close() // read only
	tick := time.NewTicker(auditLook)
	defer tick.Stop()
	for {
		if err := tail.Take(a.print); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *auditFlags) print(r *trail.Record) error {
	if !a.Wants(r) {
		return nil
	}
	if a.output == "json" {
		e := json.NewEncoder(os.Stdout)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	_, err := fmt.Println(auditLine(r))
	return err
}

// auditLine is a record as people read it: columns that line up for most.
func auditLine(r *trail.Record) string {
	outcome := "ok"
	if r.ErrorCode != "" {
		said, _, _ := strings.Cut(r.ErrorMessage, ". Encoded authorization failure message") // for machines
		outcome = r.ErrorCode + ": " + said
	}
	who := r.UserIdentity.ARN
	if a, err := arn.Parse(who); err == nil {
		who = a.Resource
	}
	action := strings.TrimSuffix(r.EventSource, ".amazonaws.com") + ":" + r.EventName
	return fmt.Sprintf("%s  %-36s  %-40s  %s", r.EventTime.Local().Format(time.DateTime), action, who, outcome)
}
