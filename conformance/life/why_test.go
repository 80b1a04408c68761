package life_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// reasoned is a node of what `berth why --output json` prints.
type reasoned struct {
	Subject, State, Says, Hint, Since string
	Detail                            map[string]any
	Children                          []reasoned
}

// why asks for a target in both forms.
func (b *berth) why(t *testing.T, target string, flags ...string) (table string, tree reasoned) {
	t.Helper()
	code, table, errs := b.says(t, append([]string{"why", target}, flags...)...)
	if code != 0 || errs != "" {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	code, text, errs := b.says(t, append([]string{"why", "--output", "json", target}, flags...)...)
	if err := json.Unmarshal([]byte(text), &tree); code != 0 || err != nil {
		t.Fatalf("exit %d: %v\n%s%s", code, err, text, errs)
	}
	return table, tree
}

// child finds a node below by its subject.
func (n *reasoned) child(t *testing.T, subject string) *reasoned {
	t.Helper()
	for i := range n.Children {
		if strings.HasPrefix(n.Children[i].Subject, subject) {
			return &n.Children[i]
		}
	}
	t.Fatalf("no %q below %+v", subject, n)
	return nil
}

func TestWhyAnImageThatDoesNotExist(t *testing.T) {
	t.Parallel()
	arn := here.run(t, onEC2(container("app", "nobody-has-this:7")))
	here.stopped(t, arn)
	table, tree := here.why(t, id(arn))
	says(t, table, "STOPPED  Task "+id(arn), "CannotPullContainerError", "hint: ", "berth image load", "\n  STOPPED  Container app", "docker.io/library/nobody-has-this:7")
	if tree.Subject != arn || tree.State != "STOPPED" || tree.Detail["stopCode"] != "TaskFailedToStart" || tree.Since == "" {
		t.Errorf("%+v", tree)
	}
	image := tree.child(t, "container app").child(t, "image nobody-has-this:7")
	if sources, _ := image.Detail["sources"].([]any); len(sources) != 2 || sources[1] != "docker.io/library/nobody-has-this:7" {
		t.Errorf("%+v", image)
	}
}

// TestWhyThereIsNoRoom asks why a Fargate task waits, and an EC2 task whose instance is
// gone.
func TestWhyThereIsNoRoom(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024")
	large := b.run(t, sized("256", "700"))
	waits := b.run(t, onFargate(patient("app")))
	table, tree := b.why(t, waits)
	says(t, table, "PROVISIONING  Task "+id(waits), "waiting for a place", "RESOURCE:MEMORY", "MEMORY needs 512, has 324", "hint: ")
	if tree.State != "PROVISIONING" || len(tree.Children) != 1 || tree.Detail["instances"] != 1.0 {
		t.Fatalf("%+v", tree)
	}
	if memory, _ := tree.Children[0].Detail["MEMORY"].(map[string]any); memory["needs"] != 512.0 || memory["has"] != 324.0 {
		t.Errorf("%+v", tree.Children[0])
	}
	b.running(t, large)
	_, runs := b.why(t, large)
	if runs.State != "RUNNING" || runs.child(t, "container app").State != "RUNNING" {
		t.Errorf("%+v", runs)
	}
	if f := b.refused(t, sized("256", "400")); aws.ToString(f.Reason) != "RESOURCE:MEMORY" {
		t.Error(shown(f))
	}
	b.stopTask(t, large)
	table, tree = b.why(t, large)
	says(t, table, "STOPPED  Task "+id(large), "somebody stopped it with StopTask")
	if tree.Detail["stopCode"] != "UserInitiated" {
		t.Errorf("%+v", tree)
	}
}

func TestWhyAContainerEnded(t *testing.T) {
	t.Parallel()
	hungry := container("app", probe, "eat", "200")
	for name, c := range map[string]struct {
		container types.ContainerDefinition
		words     []string
		detail    map[string]any
	}{
		"exit 3":        {sh("app", "exit 3"), []string{"exit code 3", "berth logs "}, map[string]any{"exitCode": 3.0}},
		"out of memory": {hungry, []string{"OutOfMemoryError", "raise the container's memory"}, map[string]any{"exitCode": 137.0, "memoryLimitMiB": 64.0}},
		"no command":    {container("app", shell, "no-such-command"), []string{"executable file not found", "check command"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arn := here.run(t, onEC2(c.container))
			here.stopped(t, arn)
			table, tree := here.why(t, arn)
			says(t, table, append(c.words, "hint: ")...)
			app := tree.child(t, "container app")
			for key, want := range c.detail {
				if app.Detail[key] != want {
					t.Errorf("%s: %+v", key, app)
				}
			}
		})
	}
}

func TestWhyIsAskedWrongly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []string
		code  int
		says  string
	}{
		"nothing":     {nil, 2, "usage: berth why"},
		"two targets": {[]string{"a", "b"}, 2, "usage: berth why"},
		"output":      {[]string{"a", "--output", "xml"}, 2, "table or json"},
		"no task":     {[]string{strings.Repeat("0", 32)}, 1, "The referenced task was not found."},
		"no service":  {[]string{"nobody"}, 1, "ServiceNotFoundException"},
		"no cluster":  {[]string{"nobody", "--cluster", "nowhere"}, 1, "ClusterNotFoundException"},
		"no berth":    {[]string{"nobody", "--data", t.TempDir()}, 1, "berth up"},
	} {
		code, out, errs := here.says(t, append([]string{"why"}, c.words...)...)
		if code != c.code || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errs)
		}
	}
}
