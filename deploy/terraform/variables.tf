# What one fleet needs in AWS: one table into one lake. Call it once per table:
#
#   module "orders" {
#     source      = ".../deploy/terraform"
#     table       = "orders"
#     bucket      = "my-lake"
#     prefix      = "raw"
#     trust       = data.aws_iam_policy_document.workers.json
#     alarm_topic = aws_sns_topic.alerts.arn
#   }

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "table" {
  description = "Name of the DynamoDB table. It is not made here: it is somebody's already, and only read."
  type        = string
}

variable "bucket" {
  description = "Name of the lake's bucket."
  type        = string
}

variable "create_bucket" {
  description = "Whether the bucket is made here. One bucket may hold the lakes of many tables."
  type        = bool
  default     = true
}

variable "prefix" {
  description = "Where the lake lies in the bucket, without slashes at its ends; empty for the whole bucket."
  type        = string
  default     = ""
}

variable "app" {
  description = "Name of the lease tables (--app); dynamolake-<table> when empty."
  type        = string
  default     = ""
}

variable "role_prefix" {
  description = "What the names of the roles begin with, up to 52 characters; when empty the app, shortened if it is longer."
  type        = string
  default     = ""

  validation {
    condition     = length(var.role_prefix) <= 52
    error_message = "With \"-incremental\" behind it a role's name would pass 64 characters: want 52 at most."
  }
}

variable "create_ledger_table" {
  description = "Whether to make the table of --state=dynamodb. There is one for all lakes of an account and region."
  type        = bool
  default     = false
}

variable "commands" {
  description = "The commands that get a role."
  type        = set(string)
  default     = ["advise", "bootstrap", "checkpoint", "consume", "incremental", "replay", "schema", "snapshot", "status", "verify"]
}

variable "trust" {
  description = "Who may take the roles, as an assume role policy (JSON): ECS tasks, or the service account of an EKS cluster by its OIDC provider."
  type        = string
}

variable "ecs" {
  description = "Whether the fleet runs on ECS by deploy/ecs: makes the execution role and the log group that its task names."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of the bucket, if it is encrypted by one of your own."
  type        = string
  default     = ""
}

variable "table_kms_key_arn" {
  description = "Key of the table, if it is encrypted by one of your own."
  type        = string
  default     = ""
}

variable "alarm_topic" {
  description = "SNS topic of the alarms; none are made when empty. They see what Prometheus cannot: that nobody reads at all."
  type        = string
  default     = ""
}
