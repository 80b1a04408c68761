package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/berthhq/berth/client"
	uses "github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/server"
)

const iamUsage = `usage: berth iam suggest ROLE               the smallest policy for what the role was seen to do
       berth iam unused ROLE                what its policies allow and it never asked for
       berth iam try ROLE --policy FILE     record what a tighter policy would refuse, and refuse nothing
       berth iam try ROLE --end             end that
       berth iam trial ROLE                 what it would have refused so far`

type iamFlags struct {
	verb, role, policy, output string
	end                        bool
	place                      client.Place
}

func parseIAM(args []string) (*iamFlags, error) {
	wrong := misuse{errors.New(iamUsage)}
	if len(args) < 2 || strings.HasPrefix(args[1], "-") {
		return nil, wrong
	}
	f := &iamFlags{verb: args[0], role: args[1]}
	fs, data := flags("iam " + f.verb)
	fs.StringVar(&f.output, "output", "table", "table or json")
	if f.verb == "try" {
		fs.StringVar(&f.policy, "policy", "", "file with the policy to try")
		fs.BoolVar(&f.end, "end", false, "end the trial")
	}
	if err := parse(fs, args[2:]); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 || f.output != "table" && f.output != "json" || f.verb == "try" && (f.policy == "") != f.end {
		return nil, wrong
	}
	var err error
	f.place, err = client.Find(*data)
	return f, err
}

// iamCommand is `berth iam`: least privilege from what roles were seen to do.
func iamCommand(ctx context.Context, args []string) error {
	f, err := parseIAM(args)
	if err != nil {
		return err
	}
	switch f.verb {
	case "suggest":
		return f.suggest(ctx)
	case "unused":
		return f.unused(ctx)
	case "try":
		return f.try(ctx)
	case "trial":
		return f.trial(ctx)
	}
	return misuse{errors.New(iamUsage)}
}

func (f *iamFlags) get(ctx context.Context, path string, out any) error {
	return client.New(f.place).Get(ctx, path+"?"+url.Values{"role": {f.role}}.Encode(), out)
}

func (f *iamFlags) suggest(ctx context.Context) error {
	var d uses.Document
	if err := f.get(ctx, server.SuggestPath, &d); err != nil {
		return err
	}
	return printJSON(os.Stdout, d)
}

func (f *iamFlags) unused(ctx context.Context) error {
	var idle []uses.Idle
	if err := f.get(ctx, server.UnusedPath, &idle); err != nil {
		return err
	}
	if f.output == "json" {
		return printJSON(os.Stdout, idle)
	}
	return table("POLICY\tALLOWS\tUSED\tNEVER USED", func(w io.Writer) {
		for _, i := range idle {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", i.Policy, i.Pattern, len(i.Used), brief(i.Unused))
		}
	})
}

// briefly is how many actions a line of a table names.
const briefly = 8

func brief(actions []string) string {
	if len(actions) <= briefly {
		return strings.Join(actions, " ")
	}
	return fmt.Sprintf("%s and %d more (--output json)", strings.Join(actions[:briefly], " "), len(actions)-briefly)
}

func (f *iamFlags) try(ctx context.Context) error {
	var in server.TrialRequest
	if !f.end {
		text, err := os.ReadFile(f.policy)
		if err != nil {
			return err
		}
		in.Document = string(text)
	}
	path := server.TrialPath + "?" + url.Values{"role": {f.role}}.Encode()
	var t server.Trial
	if err := client.New(f.place).Post(ctx, path, in, &t); err != nil {
		return err
	}
	if f.end {
		fmt.Println("the trial has ended; nothing of it was enforced")
		return nil
	}
	fmt.Printf("on trial: %s\nnothing is refused; `berth iam trial %s` shows what would have been\n", t.Policy, f.role)
	return nil
}

func (f *iamFlags) trial(ctx context.Context) error {
	var t server.Trial
	if err := f.get(ctx, server.TrialPath, &t); err != nil {
		return err
	}
	if f.output == "json" {
		return printJSON(os.Stdout, t)
	}
	fmt.Println("on trial:", t.Policy)
	return table("WOULD REFUSE\tON\tTIMES\tLAST", func(w io.Writer) {
		for _, u := range t.Refused {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", u.Action, u.Resource, u.Denied, u.Last.UTC().Format("2006-01-02 15:04:05"))
		}
	})
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows of cells that tabs part, under a head.
func table(head string, rows func(io.Writer)) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	return w.Flush()
}
