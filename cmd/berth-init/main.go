// Command berth-init is the first process of a container that asked for an init:
// it starts the container's program, passes signals on to it, reaps what is left
// orphaned and ends with the program's exit code. Called as "berth-init pause" it
// only waits, which holds a sandbox open.
//
// It uses the syscall package only, so that it stays small in each container's
// memory.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "pause" {
		pause()
	}
	if len(os.Args) < 3 || os.Args[1] != "--" {
		die("usage: berth-init -- PROGRAM [ARGUMENT...]", 2)
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	child := start(os.Args[2:])
	for s := range signals {
		switch s {
		case syscall.SIGCHLD:
			reap(child)
		case syscall.SIGURG: // Go's own, for preemption
		default:
			_ = syscall.Kill(child, s.(syscall.Signal))
		}
	}
}

func pause() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	os.Exit(0)
}

func start(args []string) int {
	path, ok := find(args[0])
	if !ok {
		die("berth-init: "+args[0]+": not found", 127)
	}
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		die("berth-init: "+path+": "+err.Error(), 126)
	}
	return pid
}

// find searches the PATH, as execvp does.
func find(name string) (string, bool) {
	for i := range len(name) {
		if name[i] == '/' {
			return name, true
		}
	}
	path := os.Getenv("PATH") + ":"
	for from, i := 0, 0; i < len(path); i++ {
		if path[i] != ':' {
			continue
		}
		dir := path[from:i]
		from = i + 1
		if dir == "" {
			continue
		}
		if candidate := dir + "/" + name; syscall.Access(candidate, 1) == nil {
			return candidate, true
		}
	}
	return "", false
}

// reap collects every process that ended, and ends with the child.
func reap(child int) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if pid != child {
			continue
		}
		if status.Signaled() {
			os.Exit(128 + int(status.Signal()))
		}
		os.Exit(status.ExitStatus())
	}
}

func die(message string, code int) {
	_, _ = syscall.Write(2, []byte(message+"\n"))
	os.Exit(code)
}
