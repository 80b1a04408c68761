package objects

import (
	"os/exec"
	"runtime"
)

// runOnThread runs a command from a thread that lasts as long: a parent's death
// signal is sent when the thread that started the child ends, not the process.
// https://go.dev/issue/27505
func runOnThread(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ended <- cmd.Run()
	}()
	return <-ended
}
