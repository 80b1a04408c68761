# Endpoints of AWS's services, and an endpoint service in front of a balancer.

variable "later" { default = false }

data "aws_caller_identity" "me" {}

resource "aws_vpc" "this" {
  cidr_block           = "10.1.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "this" {
  count             = 2
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
  availability_zone = ["eu-central-1a", "eu-central-1b"][count.index]
}

resource "aws_route_table" "this" {
  count  = 2
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "this" {
  count  = 2
  vpc_id = aws_vpc.this.id
}

data "aws_vpc_endpoint_service" "s3" {
  service      = "s3"
  service_type = "Gateway"
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.this.id
  service_name    = data.aws_vpc_endpoint_service.s3.service_name
  route_table_ids = var.later ? [aws_route_table.this[1].id] : [aws_route_table.this[0].id]
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Principal = "*", Action = var.later ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject"], Resource = "*"
  }] })
  tags = { later = tostring(var.later) }
}

resource "aws_vpc_endpoint" "open" {
  vpc_id       = aws_vpc.this.id
  service_name = "com.amazonaws.eu-central-1.dynamodb"
}

resource "aws_vpc_endpoint_route_table_association" "open" {
  vpc_endpoint_id = aws_vpc_endpoint.open.id
  route_table_id  = aws_route_table.this[0].id
}

resource "aws_vpc_endpoint_policy" "open" {
  vpc_endpoint_id = aws_vpc_endpoint.open.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Principal = "*", Action = "dynamodb:*", Resource = var.later ? "*" : "arn:aws:dynamodb:eu-central-1:*:table/a"
  }] })
}

resource "aws_vpc_endpoint" "logs" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.eu-central-1.logs"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = !var.later
  subnet_ids          = var.later ? aws_subnet.this[*].id : [aws_subnet.this[0].id]
  security_group_ids  = [aws_security_group.this[var.later ? 1 : 0].id]
  tags                = { later = tostring(var.later) }
}

resource "aws_vpc_endpoint" "bare" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.eu-central-1.ecs"
  vpc_endpoint_type = "Interface"
}

resource "aws_vpc_endpoint_subnet_association" "bare" {
  vpc_endpoint_id = aws_vpc_endpoint.bare.id
  subnet_id       = aws_subnet.this[1].id
}

resource "aws_vpc_endpoint_security_group_association" "bare" {
  vpc_endpoint_id   = aws_vpc_endpoint.bare.id
  security_group_id = aws_security_group.this[0].id
}

resource "aws_lb" "net" {
  count              = 2
  name               = "net${count.index}"
  internal           = true
  load_balancer_type = "network"
  subnets            = [aws_subnet.this[0].id]
}

resource "aws_vpc_endpoint_service" "ours" {
  acceptance_required        = !var.later
  network_load_balancer_arns = var.later ? aws_lb.net[*].arn : [aws_lb.net[0].arn]
  allowed_principals         = var.later ? [] : ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
  tags                       = { later = tostring(var.later) }
}

resource "aws_vpc_endpoint_service" "open" {
  acceptance_required        = true
  network_load_balancer_arns = [aws_lb.net[0].arn]
}

resource "aws_vpc_endpoint_service_allowed_principal" "open" {
  vpc_endpoint_service_id = aws_vpc_endpoint_service.open.id
  principal_arn           = var.later ? "*" : "arn:aws:iam::210987654321:role/app"
}

resource "aws_vpc" "theirs" { cidr_block = "10.2.0.0/16" }

resource "aws_subnet" "theirs" {
  vpc_id     = aws_vpc.theirs.id
  cidr_block = "10.2.0.0/24"
}

resource "aws_vpc_endpoint" "private" {
  vpc_id            = aws_vpc.theirs.id
  service_name      = aws_vpc_endpoint_service.ours.service_name
  vpc_endpoint_type = "Interface"
  subnet_ids        = [aws_subnet.theirs.id]
  auto_accept       = true
}

resource "aws_vpc_endpoint" "pending" {
  vpc_id            = aws_vpc.theirs.id
  service_name      = aws_vpc_endpoint_service.open.service_name
  vpc_endpoint_type = "Interface"
}

resource "aws_vpc_endpoint_connection_accepter" "pending" {
  vpc_endpoint_service_id = aws_vpc_endpoint_service.open.id
  vpc_endpoint_id         = aws_vpc_endpoint.pending.id
}

data "aws_vpc_endpoint" "s3" { id = aws_vpc_endpoint.s3.id }
data "aws_prefix_list" "s3" { prefix_list_id = aws_vpc_endpoint.s3.prefix_list_id }
data "aws_prefix_list" "named" { name = "com.amazonaws.eu-central-1.s3" }
data "aws_vpc_endpoint_service" "ours" { service_name = aws_vpc_endpoint_service.ours.service_name }
