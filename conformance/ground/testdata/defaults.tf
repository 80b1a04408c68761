# What an account and a VPC begin with, taken over.

variable "later" { default = false }

resource "aws_default_vpc" "this" {
  enable_dns_hostnames = !var.later
  tags                 = { Name = "default", later = tostring(var.later) }
}

resource "aws_default_subnet" "a" {
  availability_zone       = "eu-central-1a"
  map_public_ip_on_launch = !var.later
  tags                    = { later = tostring(var.later) }
}

resource "aws_vpc" "this" { cidr_block = "10.1.0.0/16" }

resource "aws_internet_gateway" "this" { vpc_id = aws_vpc.this.id }

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  route {
    cidr_block = var.later ? "192.0.2.0/24" : "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
  tags = { later = tostring(var.later) }
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  ingress {
    protocol  = "-1"
    self      = true
    from_port = 0
    to_port   = 0
  }
  egress {
    protocol    = var.later ? "tcp" : "-1"
    from_port   = var.later ? 443 : 0
    to_port     = var.later ? 443 : 0
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { later = tostring(var.later) }
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  ingress {
    protocol   = "-1"
    rule_no    = var.later ? 101 : 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  egress {
    protocol   = "-1"
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  tags = { later = tostring(var.later) }
}

resource "aws_vpc" "empty" { cidr_block = "10.2.0.0/16" }
resource "aws_default_security_group" "empty" { vpc_id = aws_vpc.empty.id }
resource "aws_default_network_acl" "empty" { default_network_acl_id = aws_vpc.empty.default_network_acl_id }
resource "aws_default_route_table" "empty" { default_route_table_id = aws_vpc.empty.default_route_table_id }
