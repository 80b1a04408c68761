package life_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// id is the last part of an ARN.
func id(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// shown is anything as JSON.
func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// summary says how a task is.
func summary(task types.Task) string {
	text := fmt.Sprintf("%s %s: %s", aws.ToString(task.LastStatus), task.StopCode, aws.ToString(task.StoppedReason))
	for _, c := range task.Containers {
		text += fmt.Sprintf("; %s %s", *c.Name, aws.ToString(c.LastStatus))
		if c.ExitCode != nil {
			text += fmt.Sprintf(" exit %d", *c.ExitCode)
		}
		text += " " + aws.ToString(c.Reason)
	}
	return text
}

// named finds a container of a task.
func named(t *testing.T, task types.Task, name string) types.Container {
	t.Helper()
	for _, c := range task.Containers {
		if *c.Name == name {
			return c
		}
	}
	t.Fatalf("no container %s in %s", name, summary(task))
	return types.Container{}
}

// exited is a container's exit code; the test fails when it has none.
func exited(t *testing.T, task types.Task, name string) int32 {
	t.Helper()
	c := named(t, task, name)
	if c.ExitCode == nil {
		t.Fatalf("%s has no exit code: %s", name, summary(task))
	}
	return *c.ExitCode
}

// says fails the test unless the text holds all the words.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

func hashOf(body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

// safeBuffer is written by one goroutine and read by another.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
