package door_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
)

// stack is what stacks on ECS have of IAM.
const stack = `
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}

provider "aws" {
  region                      = "eu-central-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  default_tags { tags = { stack = "test" } }
}

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

// terraform runs the installed terraform in a folder.
func terraform(t *testing.T, s *gatewaytest.Server, dir string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "terraform", append([]string{"-chdir=" + dir}, args...)...)
	command.Env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret, "AWS_ENDPOINT_URL="+s.URL, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	return out.String(), err
}

// TestTerraformsSecondPlanIsEmpty applies a stack of IAM, plans again, changes it,
// plans again and destroys it. TF_PLUGIN_DIR may name a folder with the provider;
// without it terraform gets it from its registry.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	s, _ := startIAM(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(stack), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := []string{"init", "-input=false", "-no-color"}
	if plugins := os.Getenv("TF_PLUGIN_DIR"); plugins != "" {
		begin = append(begin, "-plugin-dir="+plugins)
	}
	if out, err := terraform(t, s, dir, begin...); err != nil {
		t.Skipf("terraform cannot get its provider: %s", out)
	}
	for _, step := range [][]string{
		{"apply", "-auto-approve", "-input=false", "-no-color"},
		{"plan", "-detailed-exitcode", "-input=false", "-no-color"},
		{"apply", "-auto-approve", "-input=false", "-no-color", "-var", "max=7200"},
		{"plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "max=7200"},
		{"destroy", "-auto-approve", "-input=false", "-no-color"},
	} {
		out, err := terraform(t, s, dir, step...)
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(step, " "), err, out)
		}
		if step[0] == "apply" && !strings.Contains(out, "allowed = true") {
			t.Errorf("the simulation: %s", out)
		}
	}
}
