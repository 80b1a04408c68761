package classic_test

import (
	"crypto/elliptic"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/conformance/terraform"
)

// stack is what stacks have of Classic balancers and of certificates.
const stack = `
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

// TestTerraformsSecondPlanIsEmpty applies a stack, plans again, changes it, plans again
// and destroys it.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	p := signed(t, "b.test", elliptic.P256(), time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0), nil)
	s := terraform.New(t, open(t).Server, stack, "cert="+string(p.pem), "key="+string(p.raw), "instance="+gatewaytest.EC2ID)
	s.Settle()
	s.Settle("idle=70")
	s.Destroy()
}
