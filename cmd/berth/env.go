package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/berthhq/berth/client"
)

// env prints the export lines of a data folder's berth.
func env(_ context.Context, args []string) error {
	fs, data := flags("env")
	if err := parse(fs, args); err != nil {
		return err
	}
	text, err := os.ReadFile(client.EnvFile(*data))
	if err != nil {
		return fmt.Errorf("%w: start berth with `berth up --data %s`", err, *data)
	}
	_, err = os.Stdout.Write(text)
	return err
}

// awsCLI becomes the installed aws CLI, with our endpoint and keys: older ones,
// Debian's among them, do not read AWS_ENDPOINT_URL.
func awsCLI(_ context.Context, args []string) error {
	data := client.DefaultData()
	if len(args) > 1 && args[0] == "--data" {
		data, args = args[1], args[2:]
	}
	p, err := client.Find(data)
	if err != nil {
		return err
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		return fmt.Errorf("the aws CLI is not installed: apt-get install awscli")
	}
	environ := os.Environ()
	for _, kv := range p.Variables() {
		environ = append(environ, kv[0]+"="+kv[1])
	}
	environ = append(environ, "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	argv := append([]string{"aws", "--endpoint-url", p.Endpoint}, args...)
	return syscall.Exec(path, argv, environ)
}
