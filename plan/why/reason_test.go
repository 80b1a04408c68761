package why_test

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/plan/why"
)

// Reasons as agents and AWS write them, and a word of what to do.
func TestReasonsHaveHints(t *testing.T) {
	for reason, word := range map[string]string{
		"CannotPullContainerError: toomanyrequests: You have reached your pull rate limit":                  "limits anonymous pulls",
		"CannotPullContainerError: pull access denied for secret, repository does not exist":                "permissions",
		"CannotPullContainerError: failed to authorize: 401 Unauthorized":                                   "repositoryCredentials",
		"CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout":                                      "does not reach the registry",
		"CannotPullContainerError: dial tcp 127.0.0.1:5000: connect: connection refused":                    "nobody answers",
		"CannotPullContainerError: tls: failed to verify certificate":                                       "authority",
		"CannotPullContainerError: write /var: no space left on device":                                     "disk is full",
		"CannotPullContainerError: something unheard of":                                                    "name and tag",
		"ResourceInitializationError: container app is privileged, start berth with --allow-privileged":     "--allow-privileged",
		"ResourceInitializationError: unable to pull secrets or registry auth: no such secret":              "execution role",
		"ResourceInitializationError: take host port 80/tcp: address already in use":                        "hostPort",
		"ResourceInitializationError: volume data: it does not exist on this machine":                       "volumes",
		"OutOfMemoryError: Container killed due to memory usage":                                            "memory",
		"CannotStartContainerError: exec: \"x\": executable file not found in $PATH":                        "PATH of the image",
		"CannotStartContainerError: exec /x: exec format error":                                             "architecture",
		"CannotStartContainerError: exec /x: permission denied":                                             "mode",
		"CannotCreateContainerError: runc create failed: exec: \"x\": executable file not found in $PATH":   "check command",
		"CannotCreateContainerError: no such device":                                                        "devices",
		"CannotInspectContainerError: the container ended while it could not be watched":                    "run the task again",
		"DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s":                 "busy",
		"Essential container in task exited":                                                                "essential",
		"Dependency of container \"app\" cannot be resolved: container \"db\" did not reach HEALTHY":        "dependsOn",
		"Container \"db\" did not become ready within its start timeout of 30 seconds":                      "startTimeout",
		"Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)":                    "healthCheckGracePeriodSeconds",
		"Container instance was lost: no agent connection for 1m0s":                                         "may still run there",
		"Host EC2 (instance i-0123) terminated.":                                                            "run the task again",
		"Capacity is unavailable at this time. Please try again later or in a different availability zone":  "capacity",
		"Task definition arn:aws:ecs:us-east-1:000000000000:task-definition/web:1 no longer exists":         "register",
		"CannotPullECRContainerError: AccessDeniedException":                                                "execution role",
		"CannotStopContainerError: context deadline exceeded":                                               "hang",
		"ResourceInitializationError: the sandbox of Fargate tasks needs runsc, which this machine has not": "runsc",
		"CannotPullContainerError: no match for platform in manifest":                                       "architecture",
		"CannotPullContainerError: image not found: web:2 is not in berth's registry: push it":              "berth image load",
		"CannotCreateVolumeError: driver failed":                                                            "driver",
	} {
		if got := why.Hint(reason); !strings.Contains(got, word) {
			t.Errorf("%s\nhint %q, without %q", reason, got, word)
		}
	}
	for _, reason := range []string{"", "tired of it", "Task stopped by user"} {
		if got := why.Hint(reason); got != "" {
			t.Errorf("%q: %q", reason, got)
		}
	}
}

// A refusal in one line is the hint of a task that was not placed.
func TestARefusalInShort(t *testing.T) {
	n := why.Refusal(placement.Refusal{
		InstanceARN: scope.ContainerInstance("default", machine), Reason: "RESOURCE:GPU", Detail: "GPU needs 2, has 1",
		Lacks: []cluster.Lack{{Resource: "GPU", Need: 2, Have: 1}},
	})
	want := "Instance " + machine + " does not take it: GPU needs 2, has 1. Hint: wait for a task that has a GPU to end, or add an instance with more."
	if got := why.Short(n); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestShortIsBoundedAndOneLine(t *testing.T) {
	got := why.Short(&why.Node{Says: "It says\n\tthis: " + strings.Repeat("ä", 1000) + "."})
	if len(got) > 400 || strings.ContainsAny(got, "\n\t") || !strings.HasPrefix(got, "It says this: ää") || !strings.HasSuffix(got, "ä...") {
		t.Errorf("%d: %q", len(got), got)
	}
}
