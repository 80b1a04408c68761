package haproxy

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// pidFile has the number of a node's process, in its folder.
const pidFile = "pid"

// Own is the folder below dir of an edge's own processes: edges that take over from each
// other run at the same time.
func Own(dir string) string { return filepath.Join(dir, strconv.Itoa(os.Getpid())) }

// StopOrphans softly stops processes below dir whose edge was killed: ours listen beside
// them by then.
func StopOrphans(dir string) {
	edges, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, edge := range edges {
		id, err := strconv.Atoi(filepath.Base(edge))
		if err != nil || id == os.Getpid() || syscall.Kill(id, 0) == nil {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(edge, "*", pidFile))
		for _, file := range files {
			stopOrphan(file)
		}
		_ = os.RemoveAll(edge)
	}
}

// stopOrphan stops the process of a file, unless another has its number by now.
func stopOrphan(file string) {
	text, _ := os.ReadFile(file)
	id, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return
	}
	command, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(id), "cmdline"))
	if bytes.Contains(command, []byte(filepath.Dir(file))) {
		_ = syscall.Kill(id, syscall.SIGUSR1)
	}
}
