package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/server"
)

type whyFlags struct{ data, cluster, output, target string }

func parseWhy(args []string) (*whyFlags, error) {
	w := &whyFlags{}
	fs, data := flags("why")
	fs.StringVar(&w.cluster, "cluster", "", "the target's cluster; default that of an ARN, else default")
	fs.StringVar(&w.output, "output", "table", "table or json")
	// The target may stand before the flags, as people write it.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		w.target, args = args[0], args[1:]
	}
	if err := parse(fs, args); err != nil {
		return nil, err
	}
	rest := fs.Args()
	if w.target == "" && len(rest) > 0 {
		w.target, rest = rest[0], rest[1:]
	}
	switch {
	case w.target == "" || len(rest) > 0:
		return nil, misuse{errors.New("usage: berth why TASK|SERVICE|BALANCER [--cluster C] [--output table|json]")}
	case w.output != "table" && w.output != "json":
		return nil, misuse{fmt.Errorf("--output %q: use table or json", w.output)}
	}
	w.data = *data
	w.cluster = clusterOf(w.cluster, w.target)
	return w, nil
}

// whyCommand is `berth why`: it prints what the server knows of a task, a service or a load balancer.
func whyCommand(ctx context.Context, args []string) error {
	w, err := parseWhy(args)
	if err != nil {
		return err
	}
	place, err := client.Find(w.data)
	if err != nil {
		return err
	}
	root, query := new(why.Node), url.Values{"target": {w.target}, "cluster": {w.cluster}}
	if err := client.New(place).Get(ctx, server.WhyPath+"?"+query.Encode(), root); err != nil {
		return err
	}
	if w.output == "json" {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(root)
	}
	return why.Print(os.Stdout, root)
}

// clusterOf is the cluster that was named, else the one in the target's ARN, else
// the default one.
func clusterOf(named, target string) string {
	if named != "" {
		return named
	}
	if a, err := arn.Parse(target); err == nil && len(a.Path()) == 2 {
		return a.Path()[0]
	}
	return server.DefaultCluster
}
