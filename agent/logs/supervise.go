package logs

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

	"github.com/berthhq/berth/agent/logs/logger"
	"github.com/berthhq/berth/agent/logs/spool"
)

// alive is how often the logger is looked for. While it is away containers write
// into their FIFOs, which hold a mebibyte.
const alive = 100 * time.Millisecond

// RunLogger is the logger process: it records what the containers of the spool in
// dir print, until there are none left and the agent is gone. Every agent starts
// its own by Config.Logger.
func RunLogger(ctx context.Context, dir string, log *slog.Logger) error {
	return logger.Run(ctx, spool.Root(dir), log)
}

// keepLogger starts the logger whenever it does not run.
func (l *Logs) keepLogger(ctx context.Context) {
	ticker := time.NewTicker(alive)
	defer ticker.Stop()
	var ended <-chan error // of the logger this agent started last
	var started, pause time.Time
	for {
		running, err := l.root.LoggerAlive()
		if err != nil {
			l.log.Error("look for the logger process", "error", err)
		}
		if !running && err == nil && ended == nil && time.Now().After(pause) {
			if ended, err = l.startLogger(); err != nil {
				l.log.Error("start the logger process", "error", err)
				pause = time.Now().Add(time.Second)
			}
			started = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case err := <-ended:
			ended = nil
			if time.Since(started) < time.Second/2 {
				pause = time.Now().Add(time.Second) // it does not come up
			}
			if err != nil {
				l.log.Warn("the logger process ended; starting it again", "error", err)
			}
		case <-ticker.C:
		}
	}
}

// startLogger starts the logger in a session of its own, so that nothing that ends
// the agent ends it. What it complains about goes to a file, in a directory of its
// own: the logger watches the spool's.
func (l *Logs) startLogger() (<-chan error, error) {
	if len(l.config.Logger) == 0 {
		return nil, errors.New("no command is configured")
	}
	dir := filepath.Join(string(l.root), ".logger")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	complaints, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer complaints.Close()
	command := exec.Command(l.config.Logger[0], l.config.Logger[1:]...)
	command.Stdout, command.Stderr = complaints, complaints
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", command.Path, err)
	}
	l.log.Info("started the logger process", "pid", command.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return ended, nil
}
