package task

import (
	"fmt"
	"strings"
)

// roleRefused begins the reason of tasks that could not become their role.
const roleRefused = "ECS was unable to assume the role "

// LacksRole tells whether a task was given up for want of its role.
func (t *Task) LacksRole() bool { return strings.HasPrefix(t.StoppedReason(), roleRefused) }

// RoleRefused is why a task does not start whose role ECS may not assume, in AWS's
// words.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
func RoleRefused(roleARN string) string {
	return fmt.Sprintf(roleRefused+"'%s' that was provided for this task. "+
		"Please verify that the role being passed has the proper trust relationship and permissions "+
		"and that your IAM user has permissions to pass this role.", roleARN)
}
