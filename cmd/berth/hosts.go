package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/host/hostsfile"
	"github.com/berthhq/berth/supervisor"
)

// sweepHosts removes what berths that run no more left in a hosts file.
func sweepHosts(path string) {
	if path == "" {
		return
	}
	err := hostsfile.Sweep(path, func(data string) bool {
		_, up := supervisor.Running(upPIDFile(data))
		_, agent := supervisor.Running(filepath.Join(data, "run", "agent.pid"))
		return up || agent
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth: names that others left stay in the hosts file:", err)
	}
}

// leaveHosts removes the names of a data folder's balancers from a hosts file. One
// that can't be written has none.
func leaveHosts(path, data string) error {
	if path == "" {
		return nil
	}
	err := hostsfile.Block{Path: path, Owner: data}.Remove()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
