package ecs_test

import (
	"fmt"
	"testing"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

func TestExecuteCommandChecksInOrder(t *testing.T) {
	s := running(t)
	s.instance(4096, 4096)
	s.do("RegisterTaskDefinition", `{"family": "pair", "containerDefinitions": [{"name": "a", "image": "x", "memory": 4}, {"name": "b", "image": "x", "memory": 4}]}`)
	run := func(definition string, enabled, up bool) string {
		key := get(s.do("RunTask", `{"taskDefinition": %q, "enableExecuteCommand": %v}`, definition, enabled), "tasks", 0, "taskArn").(string)
		s.update(func(tx *store.Tx) {
			have, _ := store.Tasks.Get(tx, key)
			next := *have
			if up {
				next.Observed.Status = task.Running
			}
			store.Tasks.Put(tx, &next)
		})
		return key
	}
	one, two, off, early := run("web", true, true), run("pair", true, true), run("web", false, true), run("web", true, false)
	on := func(key, more string) string {
		return fmt.Sprintf(`{"task": %q, "command": "sh", "interactive": true%s}`, key, more)
	}
	for _, c := range []struct{ body, kind, message string }{
		{`{"task": "` + one + `", "command": "sh", "interactive": false}`, "InvalidParameterException", "Interactive is the only mode supported currently."},
		{`{"cluster": "gone", "task": "` + one + `", "command": "sh", "interactive": true}`, "ClusterNotFoundException", "Cluster not found."},
		{on(fmt.Sprintf("%032d", 1), ""), "InvalidParameterException", "The referenced task was not found."},
		{on(early, ""), "InvalidParameterException", "The execute command failed because the task is not in the RUNNING state."},
		{on(off, ""), "InvalidParameterException", "The execute command failed because execute command was not enabled when the task was run"},
		{on(two, ""), "InvalidParameterException", "The container name must be specified"},
		{on(two, `, "container": "c"`), "InvalidParameterException", "The container c was not found in the task."},
		{on(two, `, "container": "b"`), "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later."},
		{on(one, ""), "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later."},
	} {
		s.refused("ExecuteCommand", c.body, c.kind, c.message)
	}
}
