package gvisor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Main is the program's main function. It ends the process.
func Main() {
	self, err := os.Executable()
	if err != nil {
		exit(err)
	}
	c := parse(filepath.Join(filepath.Dir(self), RealName), os.Args[1:])
	switch c.verb {
	case "monitor":
		os.Exit(c.monitor())
	case "create":
		exit(c.create(self))
	case "start":
		exit(c.start())
	case "kill":
		exit(c.kill())
	case "delete":
		exit(c.delete())
	case "ps":
		exit(c.ask())
	default:
		exit(c.become())
	}
}

// exit ends with the code of the program that failed, if one did.
func exit(err error) {
	var ended *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &ended):
		os.Exit(ended.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
