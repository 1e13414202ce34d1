# What deploy/ecs/task-definition.json names beside the role of consume: without both a task does not start.

data "aws_iam_policy_document" "ecs" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# ECS itself takes it, to fetch the image and to write logs; the workers never have it.
resource "aws_iam_role" "execution" {
  count              = var.ecs ? 1 : 0
  name               = "${local.roles}-execution"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  count      = var.ecs ? 1 : 0
  role       = aws_iam_role.execution[0].name
  policy_arn = "arn:${local.arn[1]}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_cloudwatch_log_group" "workers" {
  count             = var.ecs ? 1 : 0
  name              = "/dynamolake/${var.table}"
  retention_in_days = 30
}
