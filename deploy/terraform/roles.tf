locals {
  lake = var.prefix != "" ? "${var.bucket}/${var.prefix}" : var.bucket
}

resource "aws_iam_role" "command" {
  for_each           = var.commands
  name               = "${local.app}-${each.key}"
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

output "role_arns" {
  description = "The role of each command."
  value       = { for command, role in aws_iam_role.command : command => role.arn }
}
