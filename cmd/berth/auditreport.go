package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/plan/audit"
	"github.com/berthhq/berth/server"
)

// auditReport is `berth audit`: what the account's owner would rather know.
func auditReport(ctx context.Context, args []string) error {
	fs, data := flags("audit")
	output := fs.String("output", "table", "table or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *output != "table" && *output != "json" {
		return misuse{errors.New("usage: berth audit [--output table|json]; `berth audit log` prints who asked for what")}
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	var report audit.Report
	if err := client.New(place).Get(ctx, server.AuditPath, &report); err != nil {
		return err
	}
	if *output == "json" {
		return printJSON(os.Stdout, report)
	}
	return printReport(report)
}

func printReport(report audit.Report) error {
	for _, g := range report.Grades {
		fmt.Printf("%s  %s\n", g.Grade, g.Area)
	}
	if len(report.Findings) == 0 {
		fmt.Println("nothing to mend")
		return nil
	}
	fmt.Println()
	return table("SEVERITY\tRULE\tSUBJECT\tWHAT, AND WHAT TO DO", func(w io.Writer) {
		for _, f := range report.Findings {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n\t\t\t-> %s\n", f.Severity, f.Rule, f.Subject, f.Text, f.Hint)
		}
	})
}
