package balancers_test

import (
	"testing"

	"github.com/berthhq/berth/conformance/terraform"
)

// stack is what stacks have of Application and Network balancers.
const stack = `
variable "idle" { default = 60 }
variable "certificate" {}
variable "other" {}

data "aws_vpc" "default" { default = true }

data "aws_subnets" "default" {
  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

resource "aws_lb" "web" {
  name         = "web"
  subnets      = slice(sort(data.aws_subnets.default.ids), 0, 2)
  idle_timeout = var.idle
}

resource "aws_lb" "net" {
  name               = "net"
  internal           = true
  load_balancer_type = "network"
  subnet_mapping {
    subnet_id            = sort(data.aws_subnets.default.ids)[0]
  }
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "web" {
  for_each    = toset(["blue", "green"])
  name        = each.key
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = data.aws_vpc.default.id
  deregistration_delay = 5
  health_check {
    path    = "/health"
    matcher = "200-299"
    interval = var.idle
  }
  stickiness {
    type            = "lb_cookie"
    cookie_duration = 600
  }
}

resource "aws_lb_target_group" "tcp" {
  name        = "tcp"
  port        = 80
  protocol    = "TCP"
  target_type = "ip"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_lb_target_group_attachment" "one" {
  target_group_arn = aws_lb_target_group.web["blue"].arn
  target_id        = "172.31.0.5"
  port             = 8081
}

resource "aws_lb_listener" "plain" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "secure" {
  load_balancer_arn = aws_lb.web.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  routing_http_response_server_enabled = false
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web["blue"].arn
  }
}

resource "aws_lb_listener_certificate" "other" {
  listener_arn    = aws_lb_listener.secure.arn
  certificate_arn = var.other
}

resource "aws_lb_listener" "tcp" {
  load_balancer_arn = aws_lb.net.arn
  port              = 80
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tcp.arn
  }
}

resource "aws_lb_listener_rule" "weighted" {
  listener_arn = aws_lb_listener.secure.arn
  priority     = 10
  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.web["blue"].arn
        weight = 90
      }
      target_group {
        arn    = aws_lb_target_group.web["green"].arn
        weight = 10
      }
      stickiness {
        enabled  = true
        duration = 600
      }
    }
  }
  condition {
    path_pattern { values = ["/a/*"] }
  }
  condition {
    host_header { values = ["a.example.com"] }
  }
}

resource "aws_lb_listener_rule" "fixed" {
  listener_arn = aws_lb_listener.secure.arn
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "no"
      status_code  = "404"
    }
  }
  condition {
    http_header {
      http_header_name = "X-Kind"
      values           = ["a", "b*"]
    }
  }
  condition {
    query_string {
      key   = "k"
      value = "v"
    }
  }
  condition {
    source_ip { values = ["10.0.0.0/8"] }
  }
}

resource "aws_lb_listener_rule" "signin" {
  listener_arn = aws_lb_listener.secure.arn
  priority     = 30
  action {
    type = "authenticate-oidc"
    authenticate_oidc {
      issuer                 = "https://id.example.com"
      authorization_endpoint = "https://id.example.com/a"
      token_endpoint         = "https://id.example.com/t"
      user_info_endpoint     = "https://id.example.com/u"
      client_id              = "me"
      client_secret          = "hush"
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web["blue"].arn
  }
  condition {
    http_request_method { values = ["GET"] }
  }
}

resource "aws_lb_trust_store" "ours" {
  name                             = "ours"
  ca_certificates_bundle_s3_bucket = "certs"
  ca_certificates_bundle_s3_key    = "ca.pem"
}

resource "aws_lb_trust_store_revocation" "list" {
  trust_store_arn       = aws_lb_trust_store.ours.arn
  revocations_s3_bucket = "certs"
  revocations_s3_key    = "crl"
}

resource "aws_lb_listener" "mutual" {
  load_balancer_arn = aws_lb.web.arn
  port              = 8443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate
  mutual_authentication {
    mode            = "verify"
    trust_store_arn = aws_lb_trust_store.ours.arn
  }
  default_action {
    type = "forward"
    forward {
      target_group { arn = aws_lb_target_group.web["blue"].arn }
    }
  }
}

data "aws_lb" "web" { arn = aws_lb.web.arn }
`

// TestTerraformsSecondPlanIsEmpty applies a stack, plans again, changes it, plans again
// and destroys it.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	h := open(t)
	h.objects["certs/ca.pem"], h.objects["certs/crl"] = authority(t)
	s := terraform.New(t, h.Server, stack, "certificate="+h.certificate("one"), "other="+h.certificate("two"))
	s.Settle()
	s.Settle("idle=70")
	s.Destroy()
	equal(t, "nodes left", len(h.nodes()), 0)
}
