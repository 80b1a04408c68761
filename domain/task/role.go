package task

import "fmt"

// RoleRefused is why a task does not start whose role ECS may not assume, in AWS's
// words.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
func RoleRefused(roleARN string) string {
	return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. "+
		"Please verify that the role being passed has the proper trust relationship and permissions "+
		"and that your IAM user has permissions to pass this role.", roleARN)
}
