# A VPC in the shape of terraform-aws-modules/vpc: public and private subnets, one NAT
# gateway, route tables, DHCP options.

variable "later" { default = false }

data "aws_availability_zones" "all" { state = "available" }

resource "aws_vpc" "this" {
  cidr_block                           = "10.1.0.0/16"
  instance_tenancy                     = "default"
  enable_dns_hostnames                 = true
  enable_dns_support                   = !var.later
  enable_network_address_usage_metrics = var.later
  tags                                 = var.later ? { Name = "later", more = "1" } : { Name = "ground", gone = "1" }
}

resource "aws_vpc" "plain" { cidr_block = "10.2.0.0/24" }

resource "aws_vpc_ipv4_cidr_block_association" "second" {
  vpc_id     = aws_vpc.this.id
  cidr_block = var.later ? "100.65.0.0/16" : "100.64.0.0/16"
}

resource "aws_vpc_dhcp_options" "this" {
  domain_name          = "ground.internal"
  domain_name_servers  = ["10.1.0.2", "AmazonProvidedDNS"]
  ntp_servers          = ["169.254.169.123"]
  netbios_name_servers = ["10.1.0.9"]
  netbios_node_type    = 2
  tags                 = { Name = "ground", later = tostring(var.later) }
}

resource "aws_vpc_dhcp_options_association" "this" {
  vpc_id          = aws_vpc.this.id
  dhcp_options_id = aws_vpc_dhcp_options.this.id
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "ground", later = tostring(var.later) }
}

resource "aws_internet_gateway" "loose" {}

resource "aws_internet_gateway_attachment" "loose" {
  internet_gateway_id = aws_internet_gateway.loose.id
  vpc_id              = aws_vpc.plain.id
}

resource "aws_egress_only_internet_gateway" "this" { vpc_id = aws_vpc.this.id }

resource "aws_subnet" "public" {
  count                                       = 2
  vpc_id                                      = aws_vpc.this.id
  cidr_block                                  = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
  availability_zone                           = data.aws_availability_zones.all.names[count.index]
  map_public_ip_on_launch                     = !var.later
  private_dns_hostname_type_on_launch         = var.later ? "resource-name" : "ip-name"
  enable_resource_name_dns_a_record_on_launch = var.later
  tags                                        = { Name = "public-${count.index}", later = tostring(var.later) }
}

resource "aws_subnet" "private" {
  count                = 2
  vpc_id               = aws_vpc.this.id
  cidr_block           = cidrsubnet(aws_vpc.this.cidr_block, 8, 10 + count.index)
  availability_zone_id = data.aws_availability_zones.all.zone_ids[count.index]
}

resource "aws_subnet" "second" {
  vpc_id     = aws_vpc.this.id
  cidr_block = cidrsubnet(aws_vpc_ipv4_cidr_block_association.second.cidr_block, 8, 0)
}

resource "aws_eip" "nat" {
  domain = "vpc"
  tags   = { Name = "nat", later = tostring(var.later) }
}

resource "aws_eip" "second" { domain = "vpc" }
resource "aws_eip" "third" { domain = "vpc" }

resource "aws_nat_gateway" "this" {
  allocation_id            = aws_eip.nat.id
  subnet_id                = aws_subnet.public[0].id
  secondary_allocation_ids = var.later ? [aws_eip.third.id] : [aws_eip.second.id]
  tags                     = { Name = "ground", later = tostring(var.later) }
  depends_on               = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "private" {
  connectivity_type = "private"
  subnet_id         = aws_subnet.private[0].id
  private_ip        = cidrhost(aws_subnet.private[0].cidr_block, 77)
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "public", later = tostring(var.later) }
}

resource "aws_route" "world" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "list" {
  route_table_id             = aws_route_table.public.id
  destination_prefix_list_id = aws_ec2_managed_prefix_list.office.id
  gateway_id                 = aws_internet_gateway.this.id
}

resource "aws_route" "moved" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "192.0.2.0/24"
  gateway_id             = var.later ? null : aws_internet_gateway.this.id
  nat_gateway_id         = var.later ? aws_nat_gateway.private.id : null
}

resource "aws_route" "six" {
  route_table_id              = aws_route_table.public.id
  destination_ipv6_cidr_block = "::/0"
  egress_only_gateway_id      = aws_egress_only_internet_gateway.this.id
}

resource "aws_route" "interface" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "198.51.100.0/24"
  network_interface_id   = aws_network_interface.appliance.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this.id
  }
  dynamic "route" {
    for_each = var.later ? [] : [1]
    content {
      cidr_block = "192.0.2.0/24"
      gateway_id = aws_internet_gateway.this.id
    }
  }
  route {
    cidr_block           = "198.51.100.0/24"
    gateway_id           = var.later ? aws_internet_gateway.this.id : null
    network_interface_id = var.later ? null : aws_network_interface.appliance.id
  }
}

resource "aws_route_table_association" "public" {
  count          = 2
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = var.later && count.index == 1 ? aws_route_table.private.id : aws_route_table.public.id
}

resource "aws_route_table" "edge" { vpc_id = aws_vpc.this.id }

resource "aws_main_route_table_association" "this" {
  vpc_id         = aws_vpc.this.id
  route_table_id = aws_route_table.private.id
}

resource "aws_ec2_managed_prefix_list" "office" {
  name           = var.later ? "offices" : "office"
  address_family = "IPv4"
  max_entries    = var.later ? 6 : 5
  entry {
    cidr        = "192.0.2.0/25"
    description = "first"
  }
  entry {
    cidr        = var.later ? "198.51.100.0/25" : "203.0.113.0/25"
    description = var.later ? "moved" : null
  }
  tags = { later = tostring(var.later) }
}

resource "aws_ec2_managed_prefix_list" "open" {
  name           = "open"
  address_family = "IPv6"
  max_entries    = 3
}

resource "aws_ec2_managed_prefix_list_entry" "one" {
  cidr           = "2001:db8::/32"
  description    = "docs"
  prefix_list_id = aws_ec2_managed_prefix_list.open.id
}

resource "aws_network_interface" "appliance" {
  subnet_id         = aws_subnet.private[1].id
  description       = var.later ? "later" : "appliance"
  private_ips       = [cidrhost(aws_subnet.private[1].cidr_block, 50)]
  source_dest_check = var.later
  security_groups   = var.later ? [aws_security_group.one.id, aws_security_group.two.id] : [aws_security_group.one.id]
  tags              = { Name = "appliance", later = tostring(var.later) }
}

resource "aws_network_interface" "plain" { subnet_id = aws_subnet.public[0].id }

resource "aws_network_interface" "several" {
  subnet_id   = aws_subnet.public[0].id
  private_ips = [for n in var.later ? [60, 62, 63] : [60, 61] : cidrhost(aws_subnet.public[0].cidr_block, n)]
}

resource "aws_network_interface" "counted" {
  subnet_id         = aws_subnet.public[1].id
  private_ips_count = var.later ? 1 : 3
}

resource "aws_network_interface_sg_attachment" "plain" {
  network_interface_id = aws_network_interface.plain.id
  security_group_id    = aws_security_group.two.id
}

resource "aws_security_group" "one" {
  name   = "one"
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "two" {
  name   = "two"
  vpc_id = aws_vpc.this.id
}

resource "aws_eip" "appliance" {
  domain            = "vpc"
  network_interface = var.later ? null : aws_network_interface.appliance.id
}

resource "aws_eip" "plain" { domain = "vpc" }

resource "aws_eip_association" "plain" {
  allocation_id        = aws_eip.plain.id
  network_interface_id = aws_network_interface.plain.id
}

resource "aws_eip_domain_name" "plain" {
  allocation_id = aws_eip.plain.id
  domain_name   = "a.example.com"
}

resource "aws_ec2_tag" "plain" {
  resource_id = aws_vpc.plain.main_route_table_id
  key         = "by"
  value       = var.later ? "later" : "hand"
}

data "aws_vpc" "this" {
  id = aws_vpc.this.id
}

data "aws_vpcs" "ours" {
  tags = { stack = "test" }
  depends_on = [aws_vpc.this]
}

data "aws_subnet" "first" {
  vpc_id     = aws_vpc.this.id
  cidr_block = aws_subnet.public[0].cidr_block
}

data "aws_subnets" "ours" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.this.id]
  }
  depends_on = [aws_subnet.public, aws_subnet.private, aws_subnet.second]
}

data "aws_route_table" "public" {
  subnet_id  = aws_subnet.public[0].id
  depends_on = [aws_route_table_association.public]
}

data "aws_route_tables" "ours" {
  vpc_id     = aws_vpc.this.id
  depends_on = [aws_route_table.public, aws_route_table.private, aws_route_table.edge]
}

data "aws_route" "world" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = aws_route.world.destination_cidr_block
}

data "aws_internet_gateway" "this" { internet_gateway_id = aws_internet_gateway.this.id }

data "aws_nat_gateway" "this" {
  subnet_id  = aws_subnet.public[0].id
  state      = "available"
  depends_on = [aws_nat_gateway.this]
}

data "aws_nat_gateways" "ours" {
  vpc_id     = aws_vpc.this.id
  depends_on = [aws_nat_gateway.this, aws_nat_gateway.private]
}

data "aws_eip" "nat" {
  id         = aws_eip.nat.id
  depends_on = [aws_nat_gateway.this]
}

data "aws_eips" "ours" { tags = { Name = aws_eip.nat.tags.Name } }

data "aws_network_interface" "appliance" {
  id         = aws_network_interface.appliance.id
  depends_on = [aws_eip.appliance]
}

data "aws_network_interfaces" "ours" {
  filter {
    name   = "subnet-id"
    values = [aws_subnet.private[1].id]
  }
  depends_on = [aws_network_interface.appliance]
}

data "aws_ec2_managed_prefix_list" "office" { id = aws_ec2_managed_prefix_list.office.id }
data "aws_vpc_dhcp_options" "this" { dhcp_options_id = aws_vpc_dhcp_options.this.id }

output "subnets" { value = length(data.aws_subnets.ours.ids) }
