package classic_test

import (
	"crypto/elliptic"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
)

// stack is what stacks have of Classic balancers and of certificates.
const stack = `
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}

provider "aws" {
  region                      = "eu-central-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  default_tags { tags = { stack = "test" } }
}

variable "idle" { default = 60 }
variable "cert" {}
variable "key" {}
variable "instance" {}

resource "aws_acm_certificate" "imported" {
  certificate_body = var.cert
  private_key      = var.key
}

resource "aws_acm_certificate" "requested" {
  domain_name               = "a.test"
  subject_alternative_names = ["*.a.test"]
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"
}

resource "aws_acm_certificate_validation" "requested" {
  certificate_arn         = aws_acm_certificate.requested.arn
  validation_record_fqdns = [for o in aws_acm_certificate.requested.domain_validation_options : o.resource_record_name]
}

data "aws_subnets" "default" {
  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

resource "aws_elb" "web" {
  name                        = "web"
  subnets                     = slice(sort(data.aws_subnets.default.ids), 0, 2)
  idle_timeout                = var.idle
  connection_draining         = true
  connection_draining_timeout = 30

  listener {
    lb_port           = 80
    lb_protocol       = "http"
    instance_port     = 8080
    instance_protocol = "http"
  }
  listener {
    lb_port            = 443
    lb_protocol        = "https"
    instance_port      = 8080
    instance_protocol  = "http"
    ssl_certificate_id = aws_acm_certificate_validation.requested.certificate_arn
  }
  listener {
    lb_port           = 81
    lb_protocol       = "tcp"
    instance_port     = 8081
    instance_protocol = "tcp"
  }
  health_check {
    target              = "HTTP:8080/"
    interval            = 10
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
  tags = { team = "ml" }
}

resource "aws_elb_attachment" "one" {
  elb      = aws_elb.web.id
  instance = var.instance
}

resource "aws_lb_cookie_stickiness_policy" "hour" {
  name                     = "hour"
  load_balancer            = aws_elb.web.id
  lb_port                  = 80
  cookie_expiration_period = 3600
}

resource "aws_app_cookie_stickiness_policy" "sid" {
  name          = "sid"
  load_balancer = aws_elb.web.name
  lb_port       = 443
  cookie_name   = "sid"
}

resource "aws_proxy_protocol_policy" "tcp" {
  load_balancer  = aws_elb.web.name
  instance_ports = ["8081"]
}

resource "aws_elb" "internal" {
  name_prefix        = "in-"
  internal           = true
  availability_zones = ["eu-central-1a"]
  cross_zone_load_balancing = false
  listener {
    lb_port            = 443
    lb_protocol        = "ssl"
    instance_port      = 8443
    instance_protocol  = "ssl"
    ssl_certificate_id = aws_acm_certificate.imported.arn
  }
}

resource "aws_lb_ssl_negotiation_policy" "strict" {
  name          = "strict"
  load_balancer = aws_elb.internal.id
  lb_port       = 443
  attribute {
    name  = "Protocol-TLSv1.2"
    value = "true"
  }
  attribute {
    name  = "ECDHE-RSA-AES128-GCM-SHA256"
    value = "true"
  }
}

resource "aws_load_balancer_policy" "key" {
  load_balancer_name = aws_elb.internal.name
  policy_name        = "key"
  policy_type_name   = "PublicKeyPolicyType"
  policy_attribute {
    name  = "PublicKey"
    value = "MIIB"
  }
}

resource "aws_load_balancer_policy" "auth" {
  load_balancer_name = aws_elb.internal.name
  policy_name        = "auth"
  policy_type_name   = "BackendServerAuthenticationPolicyType"
  policy_attribute {
    name  = "PublicKeyPolicyName"
    value = aws_load_balancer_policy.key.policy_name
  }
}

resource "aws_load_balancer_backend_server_policy" "auth" {
  load_balancer_name = aws_elb.internal.name
  instance_port      = 8443
  policy_names       = [aws_load_balancer_policy.auth.policy_name]
}

data "aws_elb" "web" { name = aws_elb.web.name }

output "idle" { value = data.aws_elb.web.idle_timeout }
`

// terraform runs the installed terraform in a folder.
func (h *house) terraform(dir string, variables []string, args ...string) (string, error) {
	h.t.Helper()
	command := exec.CommandContext(h.t.Context(), "terraform", append([]string{"-chdir=" + dir}, args...)...)
	command.Env = append(append(os.Environ(), variables...),
		"AWS_ACCESS_KEY_ID="+h.Root.ID, "AWS_SECRET_ACCESS_KEY="+h.Root.Secret, "AWS_ENDPOINT_URL="+h.URL, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestTerraformsSecondPlanIsEmpty applies a stack, plans again, changes it, plans again
// and destroys it. TF_PLUGIN_DIR may name a folder with the provider; without it
// terraform gets it from its registry.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	h, dir := open(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(stack), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := []string{"init", "-input=false", "-no-color"}
	if plugins := os.Getenv("TF_PLUGIN_DIR"); plugins != "" {
		begin = append(begin, "-plugin-dir="+plugins)
	}
	if out, err := h.terraform(dir, nil, begin...); err != nil {
		t.Skipf("terraform cannot get its provider: %s", out)
	}
	p := signed(t, "b.test", elliptic.P256(), time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0), nil)
	variables := []string{"TF_VAR_cert=" + string(p.pem), "TF_VAR_key=" + string(p.raw), "TF_VAR_instance=" + gatewaytest.EC2ID}
	for _, step := range [][]string{
		{"apply", "-auto-approve", "-input=false", "-no-color"},
		{"plan", "-detailed-exitcode", "-input=false", "-no-color"},
		{"apply", "-auto-approve", "-input=false", "-no-color", "-var", "idle=70"},
		{"plan", "-detailed-exitcode", "-input=false", "-no-color", "-var", "idle=70"},
		{"destroy", "-auto-approve", "-input=false", "-no-color"},
	} {
		out, err := h.terraform(dir, variables, step...)
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(step, " "), err, out)
		}
	}
}
