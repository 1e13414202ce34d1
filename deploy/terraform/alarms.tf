# Prometheus says how the workers are, and nothing when it is down with them. These come from DynamoDB itself.

# A worker beats every second. No beat is no fleet; who else reads the stream, a Lambda trigger say, does not beat.
resource "aws_cloudwatch_metric_alarm" "nobody_reads" {
  count               = var.alarm_topic != "" ? 1 : 0
  alarm_name          = "${local.app}-nobody-reads"
  alarm_description   = "Nobody reads the stream of ${var.table}: no worker beats. See DynamolakeNoWorker in docs/operations.md."
  namespace           = "AWS/DynamoDB"
  metric_name         = "SuccessfulRequestLatency"
  statistic           = "SampleCount"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic]
  ok_actions          = [var.alarm_topic]

  dimensions = {
    TableName = aws_dynamodb_table.workers.name
    Operation = "UpdateItem"
  }
}

# A lease table that does not answer is a fleet that does not write.
resource "aws_cloudwatch_metric_alarm" "leases_throttled" {
  for_each            = var.alarm_topic != "" ? toset([aws_dynamodb_table.leases.name, aws_dynamodb_table.workers.name]) : []
  alarm_name          = "${each.key}-throttled"
  alarm_description   = "Writes of the lease table ${each.key} are throttled. See DynamolakeLeasesLost in docs/operations.md."
  namespace           = "AWS/DynamoDB"
  metric_name         = "WriteThrottleEvents"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic]

  dimensions = {
    TableName = each.key
  }
}
