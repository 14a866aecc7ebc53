# The events that reach the functions, beside s.yaml: a custom bus for events of
# our own types, which the default bus does not take, with a dead-letter queue;
# and, with default_bus_rules, the two rules on the default bus in place of the
# eventbridge triggers of s.yaml. Never both: each event would come twice. And the
# ledger of the functions, for which s.yaml has no words.

terraform {
  required_version = ">= 1.5"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.221" # the first that knows network_type_acl
    }
  }
}

variable "region" {
  type    = string
  default = "cn-hangzhou" # a rule and its function share region and account
}

variable "default_bus_rules" {
  type    = bool
  default = false
}

# An instance has its name for itself among all accounts of a region: choose your own,
# and name it in HAVIP_LEDGER too.
variable "ledger_instance" {
  type    = string
  default = "havip-functions"
}

provider "alicloud" {
  region = var.region
}

data "alicloud_account" "current" {}

locals {
  functions = "acs:fc:${var.region}:${data.alicloud_account.current.id}:functions"
  queue     = "acs:mns:${var.region}:${data.alicloud_account.current.id}:queues/${alicloud_mns_queue.dead_letters.name}"

  custom = {
    instance-started = ["havip.instance.started"]
    health-failed    = ["havip.health.failed", "havip.health.restored"]
    recover          = ["havip.recover"]
    sweep            = ["havip.sweep"]
  }

  native = {
    instance-started = {
      source = ["acs.ecs"]
      type   = ["ecs:Instance:StateChange"]
      data   = { state = ["Running"] }
    }
    health-failed = {
      source = ["acs.ecs"]
      type = [
        "ecs:Instance:StateChange",
        "ecs:Instance:PreemptibleInstanceInterruption",
        { prefix = "ecs:Instance:InstanceFailure." },
        { prefix = "ecs:Instance:SystemFailure." },
        { prefix = "ecs:Instance:SystemMaintenance." },
      ]
      data = { state = ["Stopping", "Stopped", "Deleted", { exists = false }] }
    }
  }

  # Patterns as text: their shapes differ, and a map's values must not.
  rules = merge(
    { for name, types in local.custom : "havip-${name}" => {
      bus     = alicloud_event_bridge_event_bus.havip.event_bus_name
      name    = name
      pattern = jsonencode({ type = types })
    } },
    { for name, pattern in { for n, p in local.native : n => jsonencode(p) } : "havip-ecs-${name}" => {
      bus     = "default"
      name    = name
      pattern = pattern
    } if var.default_bus_rules },
  )
}

resource "alicloud_mns_queue" "dead_letters" {
  name                     = "havip-dead-letters"
  message_retention_period = 604800 # a week to look and redrive
}

resource "alicloud_event_bridge_event_bus" "havip" {
  event_bus_name = "havip"
  description    = "Events of HAVIP Functions"
}

resource "alicloud_event_bridge_rule" "havip" {
  for_each       = local.rules
  event_bus_name = each.value.bus
  rule_name      = each.key
  filter_pattern = each.value.pattern

  targets {
    target_id           = "havip-${each.value.name}"
    type                = "acs.fc.function"
    endpoint            = "${local.functions}/havip-${each.value.name}"
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"

    dead_letter_queue {
      arn = local.queue
    }

    param_list {
      resource_key = "functionName"
      form         = "CONSTANT"
      value        = "havip-${each.value.name}"
    }
    param_list {
      resource_key = "Qualifier"
      form         = "CONSTANT"
      value        = "LATEST"
    }
    param_list {
      resource_key = "InvocationType"
      form         = "CONSTANT"
      value        = "Async"
    }
    param_list {
      resource_key = "DataFormat"
      form         = "CONSTANT"
      value        = "Object"
    }
    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }
  }
}

# Tablestore forgets by the table: records stay, and the history goes a day after the
# last of it has expired. Both are paid by what is read and written.
resource "alicloud_ots_instance" "ledger" {
  name             = var.ledger_instance
  description      = "What HAVIP Functions remember"
  network_type_acl = ["VPC", "CLASSIC"] # whoever is elsewhere needs INTERNET too
}

resource "alicloud_ots_table" "ledger" {
  for_each      = { havip_ledger = -1, havip_ledger_history = 2678400 }
  instance_name = alicloud_ots_instance.ledger.name
  table_name    = each.key
  time_to_live  = each.value
  max_version   = 1

  primary_key {
    name = "pk"
    type = "String"
  }
  primary_key {
    name = "sk"
    type = "String"
  }
}

# The fields by which the log is searched; the queries are in README.md.
resource "alicloud_log_store_index" "functions" {
  project  = "havip-functions"
  logstore = "functions"

  full_text {
    case_sensitive = false
    token          = " #$^*\r\n\t\"',:{}[]"
  }

  dynamic "field_search" {
    for_each = ["level", "msg", "invocation", "havip", "name", "story", "event", "type", "rule", "code", "requestId", "advice", "probe", "probeReason", "error"]
    content {
      name             = field_search.value
      type             = "text"
      enable_analytics = true
      token            = " #$^*\r\n\t\"',:{}[]"
    }
  }
}

output "ledger" {
  value = "tablestore://${alicloud_ots_instance.ledger.name}/havip_ledger"
}

output "bus" {
  value = alicloud_event_bridge_event_bus.havip.event_bus_name
}
