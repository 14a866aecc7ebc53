package main_test

// What the template makes beside the functions.

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"testing"
)

// cfn-lint has the schema of each resource, and SAM's own transform.
func TestTemplateFitsTheSchema(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skipf("%v; pip install cfn-lint==1.51.0", err)
	}
	lint := exec.CommandContext(t.Context(), program, "--regions", "us-east-1", "eu-central-1", "cn-north-1", "--template", "../aws/template.yaml")
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestTemplateFitsEveryPartition(t *testing.T) {
	if text := templateText(t); bytes.Contains(text, []byte("arn:aws:")) {
		t.Error("an ARN names the partition aws; write ${AWS::Partition}")
	}
}

// The ledger is the table that the template makes, unless somebody brings his own.
func TestTemplateLedger(t *testing.T) {
	tpl := readTemplate(t)
	for name, f := range tpl.functions(t) {
		if got := fmt.Sprint(f.Environment.Variables["HAVIP_LEDGER"]); got != "[!If OwnLedger !Sub dynamodb://${LedgerTable} !Ref Ledger]" {
			t.Errorf("%s: HAVIP_LEDGER is %s", name, got)
		}
	}
	table := tpl.Resources["LedgerTable"]
	var made struct {
		BillingMode             string
		TimeToLiveSpecification struct {
			AttributeName string
			Enabled       bool
		}
		PointInTimeRecoverySpecification map[string]any
	}
	decode(t, table.Properties, &made)
	if table.Type != "AWS::DynamoDB::Table" || table.Condition != "OwnLedger" || made.BillingMode != "PAY_PER_REQUEST" ||
		!made.TimeToLiveSpecification.Enabled || made.TimeToLiveSpecification.AttributeName != "expires" ||
		made.PointInTimeRecoverySpecification["PointInTimeRecoveryEnabled"] != "!Ref LedgerBackups" {
		t.Errorf("the table is %+v, where %s", made, table.Condition)
	}
}

// A message is hidden for six times as long as a call may take, so that it comes to one
// call alone, https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html;
// what fails comes again by itself, and ends among the dead letters.
func TestTemplateQueue(t *testing.T) {
	tpl := readTemplate(t)
	var queue struct {
		VisibilityTimeout int
		RedrivePolicy     struct {
			DeadLetterTargetArn string
			MaxReceiveCount     int
		}
	}
	decode(t, tpl.Resources["FollowUps"].Properties, &queue)
	if queue.VisibilityTimeout < 6*tpl.Globals.Function.Timeout || queue.RedrivePolicy.DeadLetterTargetArn != "!GetAtt DeadLetters.Arn" || queue.RedrivePolicy.MaxReceiveCount < 5 {
		t.Errorf("the queue is %+v, with calls of %d s", queue, tpl.Globals.Function.Timeout)
	}
	polled := 0
	for name, f := range tpl.functions(t) {
		for _, e := range f.Events {
			if e.Type != "SQS" {
				continue
			}
			polled++
			p := e.Properties
			if p.Queue != "!GetAtt FollowUps.Arn" || !slices.Equal(p.FunctionResponseTypes, []string{"ReportBatchItemFailures"}) || p.ScalingConfig.MaximumConcurrency < 2 {
				t.Errorf("%s has the source %+v", name, p)
			}
		}
	}
	if polled != 1 {
		t.Errorf("%d functions read the queue", polled)
	}
}

// What is lost, late or asleep is told, and the log ends.
func TestTemplateWatches(t *testing.T) {
	tpl := readTemplate(t)
	if log := tpl.Resources["Log"]; tpl.Globals.Function.LoggingConfig["LogGroup"] != "!Ref Log" || string(log.Properties) != `{"RetentionInDays":"!Ref LogDays"}` {
		t.Errorf("the log is %s", log.Properties)
	}
	told := map[string]string{}
	for id, r := range tpl.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		var alarm struct {
			MetricName   string
			Dimensions   []struct{ Value string }
			AlarmActions []any
		}
		decode(t, r.Properties, &alarm)
		told[alarm.MetricName] = alarm.Dimensions[0].Value
		if got := fmt.Sprint(alarm.AlarmActions); got != "[!If HasTopic [!Ref AlarmTopic] !Ref AWS::NoValue]" {
			t.Errorf("%s is told to %s", id, got)
		}
	}
	for metric, of := range map[string]string{
		"ApproximateNumberOfMessagesVisible": "!GetAtt DeadLetters.QueueName",
		"ApproximateAgeOfOldestMessage":      "!GetAtt FollowUps.QueueName",
		"Invocations":                        "!Ref Sweep",
	} {
		if told[metric] != of {
			t.Errorf("the alarm of %s is of %q, want %s", metric, told[metric], of)
		}
	}
}
