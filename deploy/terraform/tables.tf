data "aws_dynamodb_table" "source" {
  name = var.table
}

locals {
  app = var.app != "" ? var.app : "dynamolake-${var.table}"
  arn = split(":", data.aws_dynamodb_table.source.arn)
}

# consume makes these two itself where it may. Made here, its role can do without dynamodb:CreateTable.
# What they hold saves work and can be made anew from the lake: no backup.
resource "aws_dynamodb_table" "leases" {
  name         = local.app
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "leaseKey"

  attribute {
    name = "leaseKey"
    type = "S"
  }
}

resource "aws_dynamodb_table" "workers" {
  name         = "${local.app}-WorkerMetricStats"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "wid"

  attribute {
    name = "wid"
    type = "S"
  }
}

# The ledger is the only record of what the lake covers: it is backed up, and not deleted by mistake.
resource "aws_dynamodb_table" "ledgers" {
  count                       = var.create_ledger_table ? 1 : 0
  name                        = "dynamolake-ledgers"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "lake"
  deletion_protection_enabled = true

  attribute {
    name = "lake"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }
}
