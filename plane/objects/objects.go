// Package objects reaches the buckets and objects of S3. They are kept by a program
// of its own, cmd/berth-objects, behind the S3 protocol on a unix socket that only
// berth can open. The storage role runs it; the server speaks to it.
//
// Whoever reaches the socket may do everything: callers are proven and authorised
// where they arrive, by aws/api/s3, which signs anew with Keys. See
// docs/rfd/0006-objects.md.
package objects

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Name is the file of cmd/berth-objects, beside berth.
const Name = "berth-objects"

// Pauses before the program is started again.
const (
	firstPause = time.Second
	lastPause  = time.Minute

	steady = time.Minute // a program that ran so long is started again at once
)

// stopTimeout is how long the program may finish what it does.
const stopTimeout = 10 * time.Second

// Keeper keeps the program running.
type Keeper struct {
	Program string // path of the program
	Root    string // folder of the objects; absolute
	Socket  string // absolute
	Log     *slog.Logger
}

// Installed finds the program beside the one that runs.
func Installed() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program := filepath.Join(filepath.Dir(self), Name)
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("%s is not installed beside berth, so there is no S3: build it with make build", Name)
	}
	return program, nil
}

// Keep runs the program until ctx ends. When it ends by itself it is started again:
// its faults are not those of the images beside it.
func (k *Keeper) Keep(ctx context.Context) {
	pause := firstPause
	for {
		began := time.Now()
		err := k.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			pause = firstPause
		}
		k.Log.Error("the keeper of objects ended; it is started again", "in", pause, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

func (k *Keeper) run(ctx context.Context) error {
	if err := os.MkdirAll(k.Root, 0o700); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, k.Program, k.Root, k.Socket)
	cmd.Env = append(os.Environ(), "BERTH_OBJECTS_KEY_ID="+keyID, "BERTH_OBJECTS_SECRET="+keySecret)
	cmd.Stderr = os.Stderr // what it prints beside is no news
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	// It does not outlive us: two would write the same folder.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return errors.Join(runOnThread(cmd), ctx.Err())
}
