package door_test

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/conformance/terraform"
)

// stack is what stacks on ECS have of IAM.
const stack = `
variable "max" { default = 3600 }

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy" "execution" { arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy" }

resource "aws_iam_role" "execution" {
  name                 = "execution"
  assume_role_policy   = data.aws_iam_policy_document.tasks.json
  max_session_duration = var.max
  description          = "pulls and logs"
  permissions_boundary = aws_iam_policy.bounds.arn
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = data.aws_iam_policy.execution.arn
}

resource "aws_iam_role" "task" {
  name_prefix        = "task-"
  path               = "/app/"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
  tags               = { zebra = "1", ape = "2" }
}

resource "aws_iam_role_policy" "task" {
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }] })
}

resource "aws_iam_policy" "bounds" {
  name   = "bounds"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*", Sid = "max${var.max}" }] })
}

resource "aws_iam_instance_profile" "machines" {
  name = "machines"
  role = aws_iam_role.task.name
}

resource "aws_iam_user" "ada" {
  name          = "ada"
  force_destroy = true
}

resource "aws_iam_access_key" "ada" { user = aws_iam_user.ada.name }

resource "aws_iam_group" "devs" { name = "devs" }

resource "aws_iam_user_group_membership" "ada" {
  user   = aws_iam_user.ada.name
  groups = [aws_iam_group.devs.name]
}

resource "aws_iam_group_policy_attachment" "devs" {
  group      = aws_iam_group.devs.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
}

resource "aws_iam_user_policy" "ada" {
  user   = aws_iam_user.ada.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "ecs:*", Resource = "*" }] })
}

resource "aws_iam_service_linked_role" "scaling" { aws_service_name = "ecs.application-autoscaling.amazonaws.com" }

data "aws_iam_principal_policy_simulation" "ada" {
  action_names      = ["ecs:RunTask"]
  policy_source_arn = aws_iam_user.ada.arn
  depends_on        = [aws_iam_user_policy.ada]
}

output "allowed" { value = data.aws_iam_principal_policy_simulation.ada.all_allowed }
`

// TestTerraformsSecondPlanIsEmpty applies a stack of IAM, plans again, changes it,
// plans again and destroys it.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	server, _ := startIAM(t)
	s := terraform.New(t, server, stack)
	for _, changes := range [][]string{nil, {"max=7200"}} {
		if printed := s.Settle(changes...); !strings.Contains(printed, "allowed = true") {
			t.Errorf("the simulation: %s", printed)
		}
	}
	s.Destroy()
}
