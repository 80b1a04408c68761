package identity_test

import (
	"encoding/json"
	"fmt"
	"strings"
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

// says fails the test unless the text holds all the words.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}
