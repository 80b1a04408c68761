package gatewaytest

import (
	"bytes"
	"strings"
	"sync"
)

// Lines keeps what is written to it.
type Lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// All are the lines so far.
func (l *Lines) All() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}
