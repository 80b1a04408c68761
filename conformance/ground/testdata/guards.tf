# Security groups with rules in each of the three ways, and network ACLs.

variable "later" { default = false }

data "aws_vpc" "default" { default = true }

resource "aws_vpc" "this" { cidr_block = "10.1.0.0/16" }

resource "aws_subnet" "this" {
  count      = 2
  vpc_id     = aws_vpc.this.id
  cidr_block = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
}

resource "aws_ec2_managed_prefix_list" "office" {
  name           = "office"
  address_family = "IPv4"
  max_entries    = 5
}

resource "aws_security_group" "inline" {
  name        = "inline"
  description = "rules within"
  vpc_id      = aws_vpc.this.id
  ingress {
    description      = var.later ? "web later" : "web"
    from_port        = 80
    to_port          = 80
    protocol         = "tcp"
    cidr_blocks      = ["10.0.0.0/8", "192.0.2.0/24"]
    ipv6_cidr_blocks = ["::/0"]
    prefix_list_ids  = [aws_ec2_managed_prefix_list.office.id]
    security_groups  = [aws_security_group.peer.id]
    self             = true
  }
  ingress {
    from_port   = 8
    to_port     = var.later ? -1 : 0
    protocol    = "icmp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  dynamic "ingress" {
    for_each = var.later ? [443, 8443] : [443]
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "50"
    cidr_blocks = ["10.0.0.0/8"]
  }
  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  tags = { Name = "inline", later = tostring(var.later) }
}

resource "aws_security_group" "peer" {
  name_prefix            = "peer-"
  vpc_id                 = aws_vpc.this.id
  revoke_rules_on_delete = true
}

resource "aws_security_group" "plain" { name = "plain" }

resource "aws_security_group_rule" "web" {
  type              = "ingress"
  from_port         = 80
  to_port           = 90
  protocol          = "tcp"
  cidr_blocks       = ["10.1.0.0/16", "10.2.0.0/16"]
  description       = var.later ? "later" : "web"
  security_group_id = aws_security_group.peer.id
}

resource "aws_security_group_rule" "self" {
  type              = "ingress"
  from_port         = 0
  to_port           = 65535
  protocol          = "udp"
  self              = true
  security_group_id = aws_security_group.peer.id
}

resource "aws_security_group_rule" "all" {
  type              = "egress"
  from_port         = 0
  to_port           = 0
  protocol          = "all"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = aws_security_group.peer.id
}

resource "aws_security_group_rule" "list" {
  type              = "egress"
  from_port         = 53
  to_port           = 53
  protocol          = "udp"
  prefix_list_ids   = [aws_ec2_managed_prefix_list.office.id]
  security_group_id = aws_security_group.peer.id
}

resource "aws_security_group_rule" "group" {
  type                     = "ingress"
  from_port                = -1
  to_port                  = -1
  protocol                 = "icmpv6"
  source_security_group_id = aws_security_group.inline.id
  security_group_id        = aws_security_group.plain_in_vpc.id
}

resource "aws_security_group" "plain_in_vpc" { vpc_id = aws_vpc.this.id }

resource "aws_security_group" "rules" { vpc_id = aws_vpc.this.id }

resource "aws_vpc_security_group_ingress_rule" "cidr" {
  security_group_id = aws_security_group.rules.id
  cidr_ipv4         = var.later ? "10.3.0.0/16" : "10.2.0.0/16"
  from_port         = 80
  ip_protocol       = "tcp"
  to_port           = var.later ? 81 : 80
  description       = var.later ? null : "web"
  tags              = { Name = "web", later = tostring(var.later) }
}

resource "aws_vpc_security_group_ingress_rule" "six" {
  security_group_id = aws_security_group.rules.id
  cidr_ipv6         = "2001:db8::/32"
  from_port         = 128
  ip_protocol       = "icmpv6"
  to_port           = 0
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  security_group_id            = aws_security_group.rules.id
  referenced_security_group_id = aws_security_group.peer.id
  from_port                    = 1
  ip_protocol                  = "udp"
  to_port                      = 2
}

resource "aws_vpc_security_group_egress_rule" "list" {
  security_group_id = aws_security_group.rules.id
  prefix_list_id    = aws_ec2_managed_prefix_list.office.id
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.rules.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = { later = tostring(var.later) }
}

resource "aws_network_acl" "inline" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = [aws_subnet.this[0].id]
  ingress {
    rule_no    = 100
    action     = var.later ? "deny" : "allow"
    protocol   = "tcp"
    from_port  = 80
    to_port    = 443
    cidr_block = "10.0.0.0/8"
  }
  ingress {
    rule_no    = 110
    action     = "allow"
    protocol   = "icmp"
    from_port  = 0
    to_port    = 0
    icmp_type  = 8
    icmp_code  = -1
    cidr_block = "0.0.0.0/0"
  }
  egress {
    rule_no         = 100
    action          = "allow"
    protocol        = "-1"
    from_port       = 0
    to_port         = 0
    ipv6_cidr_block = "::/0"
  }
  tags = { later = tostring(var.later) }
}

resource "aws_network_acl" "rules" { vpc_id = aws_vpc.this.id }

resource "aws_network_acl_rule" "web" {
  network_acl_id = aws_network_acl.rules.id
  rule_number    = 200
  egress         = false
  protocol       = "tcp"
  rule_action    = var.later ? "deny" : "allow"
  cidr_block     = "10.0.0.0/8"
  from_port      = 22
  to_port        = 22
}

resource "aws_network_acl_rule" "ping" {
  network_acl_id = aws_network_acl.rules.id
  rule_number    = 200
  egress         = true
  protocol       = "icmp"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
  icmp_type      = 8
  icmp_code      = 0
}

resource "aws_network_acl_association" "rules" {
  network_acl_id = var.later ? aws_network_acl.inline_free.id : aws_network_acl.rules.id
  subnet_id      = aws_subnet.this[1].id
}

resource "aws_network_acl" "inline_free" { vpc_id = aws_vpc.this.id }

data "aws_security_group" "inline" { id = aws_security_group.inline.id }

data "aws_security_groups" "ours" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.this.id]
  }
  depends_on = [aws_security_group.inline, aws_security_group.peer, aws_security_group.rules, aws_security_group.plain_in_vpc]
}

data "aws_vpc_security_group_rule" "web" { security_group_rule_id = aws_vpc_security_group_ingress_rule.cidr.id }

data "aws_vpc_security_group_rules" "ours" {
  filter {
    name   = "group-id"
    values = [aws_security_group.rules.id]
  }
  depends_on = [aws_vpc_security_group_ingress_rule.cidr, aws_vpc_security_group_egress_rule.all]
}

data "aws_network_acls" "ours" {
  vpc_id     = aws_vpc.this.id
  depends_on = [aws_network_acl.inline, aws_network_acl.rules, aws_network_acl.inline_free]
}
