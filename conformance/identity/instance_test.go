package identity_test

import (
	"strings"
	"testing"
)

// TestTheMachineShowsItsRoleToItsTasks has AWS's client in a task without a role be the
// machine's, by version 2 of the instance's metadata; not without a token, and never on
// Fargate.
//
// Proves 2A.10.
func TestTheMachineShowsItsRoleToItsTasks(t *testing.T) {
	t.Parallel()
	const steps = "whoami , metadata meta-data/iam/info , metadata meta-data/iam/security-credentials/ , fetch http://169.254.169.254/latest/meta-data/iam/info"
	for name, on := range map[string]func(string) *definition{"bridge": onEC2, "awsvpc": privately} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := here.run(t, on(steps))
			who := here.told(t, task, "whoami", "assumed-role/"+instanceRole+"/i-")
			here.told(t, task, "metadata", "200 ", `"InstanceProfileArn": "arn:aws:iam::`+account+`:instance-profile/`+instanceRole+`"`)
			here.told(t, task, "metadata", "200 "+instanceRole)
			here.told(t, task, "fetch", "401 ")
			if id(who) != *here.machine(t).Ec2InstanceId {
				t.Errorf("%s is another machine", who)
			}
		})
	}
	t.Run("Fargate", func(t *testing.T) {
		t.Parallel()
		task := here.run(t, onFargate(steps))
		for _, step := range []string{"whoami", "metadata", "fetch"} {
			here.told(t, task, step, "error: ")
		}
		if said := here.output(t, task); strings.Contains(said, instanceRole) {
			t.Error(said)
		}
	})
}
