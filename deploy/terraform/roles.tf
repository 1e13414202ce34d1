locals {
  lake = var.prefix != "" ? "${var.bucket}/${var.prefix}" : var.bucket

  # A role's name has 64 characters at most, and "-incremental" 12 of them; a table's may have 255. Of a longer one what was cut
  # off is told by a hash, so that two tables of one beginning do not share roles.
  roles = var.role_prefix != "" ? var.role_prefix : length(local.app) <= 52 ? local.app : "${substr(local.app, 0, 43)}-${substr(sha256(local.app), 0, 8)}"
}

resource "aws_iam_role" "command" {
  for_each           = var.commands
  name               = "${local.roles}-${each.key}"
  assume_role_policy = var.trust
}

# The policies of deploy/iam, which are compared with what the commands call.
resource "aws_iam_role_policy" "command" {
  for_each = var.commands
  name     = each.key
  role     = aws_iam_role.command[each.key].id
  policy = templatefile("${path.module}/../iam/${each.key}.json", {
    PARTITION     = local.arn[1]
    REGION        = local.arn[3]
    ACCOUNT       = local.arn[4]
    TABLE         = var.table
    APP           = local.app
    BUCKET        = var.bucket
    LAKE          = local.lake
    EXPORT_BUCKET = var.bucket
    EXPORTS       = local.lake
  })
}

resource "aws_iam_role_policy" "key" {
  for_each = var.kms_key_arn != "" ? var.commands : []
  name     = "key"
  role     = aws_iam_role.command[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "UseTheBucketsKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.kms_key_arn
    }]
  })
}

# Streams, scans and exports of a table that is encrypted with a key of its own are refused to who may not use the key.
resource "aws_iam_role_policy" "table_key" {
  for_each = var.table_kms_key_arn != "" ? var.commands : []
  name     = "table-key"
  role     = aws_iam_role.command[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "UseTheTablesKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey"]
      Resource = var.table_kms_key_arn
    }]
  })
}

output "role_prefix" {
  description = "What the names of the roles begin with: ROLES of deploy/ecs."
  value       = local.roles
}

output "app" {
  description = "Name of the lease tables: APP of deploy/ecs."
  value       = local.app
}

output "role_arns" {
  description = "The role of each command."
  value       = { for command, role in aws_iam_role.command : command => role.arn }
}
