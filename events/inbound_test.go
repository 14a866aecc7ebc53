package events

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// native is an event as the reference shows it, of a type and with data.
func native(kind, data string) string {
	return `{"id":"45ef","source":"acs.ecs","specversion":"1.0","type":"` + kind + `",
 "datacontenttype":"application/json;charset=utf-8","subject":"acs:ecs:cn-hangzhou:123456789098:instance/i-other",
 "time":"2024-01-01T00:00:00.179PRC","aliyunaccountid":"123456789098","aliyunpublishtime":"2024-01-01T00:00:01.000Z",
 "aliyuneventbusname":"default","aliyunregionid":"cn-hangzhou","data":` + data + `}`
}

func state(name string) string {
	return native("ecs:Instance:StateChange", `{"resourceId":"i-bp1a","resourceType":"ALIYUN::ECS::Instance","state":"`+name+`"}`)
}

// hangzhou is a fact about i-bp1a.
func hangzhou(reason string) Fact {
	return Fact{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-bp1a", Reason: reason}
}

func TestNative(t *testing.T) {
	const id = `{"instanceId":"i-bp1a"}`
	for _, c := range []struct {
		name, payload string
		want          Data
	}{
		{"Running", state("Running"), InstanceStarted(hangzhou("the instance is Running"))},
		{"Stopping", state("Stopping"), HealthFailed(hangzhou("the instance is Stopping"))},
		{"Stopped", state("Stopped"), HealthFailed(hangzhou("the instance is Stopped"))},
		{"Deleted", state("Deleted"), HealthFailed(hangzhou("the instance is Deleted"))},
		{"Pending", state("Pending"), Ignored{"i-bp1a is Pending; Running will follow"}},
		{"Starting", state("Starting"), Ignored{"i-bp1a is Starting; Running will follow"}},
		{"an ARN as resource", strings.Replace(state("Running"), `"i-bp1a"`, `"acs:ecs:cn-hangzhou:1:instance/i-bp1a"`, 1), InstanceStarted(hangzhou("the instance is Running"))},
		{"the region of the subject", strings.Replace(state("Running"), `"aliyunregionid":"cn-hangzhou",`, ``, 1), InstanceStarted(hangzhou("the instance is Running"))},
		{"the region of the bus first", strings.Replace(state("Running"), `acs:ecs:cn-hangzhou`, `acs:ecs:cn-beijing`, 1), InstanceStarted(hangzhou("the instance is Running"))},
		{"interruption", native("ecs:Instance:PreemptibleInstanceInterruption", `{"instanceId":"i-bp1a","action":"delete"}`), HealthFailed(hangzhou("Instance:PreemptibleInstanceInterruption"))},
		{"failure", native("ecs:Instance:InstanceFailure.Reboot", id), HealthFailed(hangzhou("Instance:InstanceFailure.Reboot"))},
		{"failure under way", native("ecs:Instance:SystemFailure.Redeploy:Executing", id), HealthFailed(hangzhou("Instance:SystemFailure.Redeploy:Executing"))},
		{"failure over", native("ecs:Instance:SystemFailure.Reboot:Executed", id), Ignored{`"Instance:SystemFailure.Reboot:Executed" stops no instance now`}},
		{"failure over, said in data", native("ecs:Instance:SystemFailure.Reboot", `{"instanceId":"i-bp1a","eventStatus":"Executed"}`), Ignored{`"Instance:SystemFailure.Reboot" stops no instance now`}},
		{"maintenance ahead", native("ecs:Instance:SystemMaintenance.Stop:Scheduled", id), Ignored{`"Instance:SystemMaintenance.Stop:Scheduled" stops no instance now`}},
		{"maintenance without a phase", native("ecs:Instance:SystemMaintenance.Stop", id), Ignored{`"Instance:SystemMaintenance.Stop" stops no instance now`}},
		{"maintenance under way", native("ecs:Instance:SystemMaintenance.Stop:Executing", id), HealthFailed(hangzhou("Instance:SystemMaintenance.Stop:Executing"))},
		{"relayed", native("ecs:CloudMonitor:Instance[SystemMaintenance.Redeploy:Executing]", id), HealthFailed(hangzhou("Instance:SystemMaintenance.Redeploy:Executing"))},
		{"relayed and avoided", native("ecs:CloudMonitor:Instance[SystemMaintenance.Redeploy:Avoided]", id), Ignored{`"Instance:SystemMaintenance.Redeploy:Avoided" stops no instance now`}},
		{"an interface", native("ecs:NetworkInterface:NetworkInterfaceOperateCompleted", `{}`), Ignored{`"NetworkInterface:NetworkInterfaceOperateCompleted" stops no instance now`}},
		{"another product's word", strings.Replace(state("Running"), "acs.ecs", "acs.ess", 1), Ignored{`"ecs:Instance:StateChange" says nothing about who can serve`}},
		{"another product", strings.Replace(native("ess:LifecycleHook:ScaleIn", `{}`), "acs.ecs", "acs.ess", 1), Ignored{`"ess:LifecycleHook:ScaleIn" is told again by ECS for each instance`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(c.payload), arrived)
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Data != c.want {
				t.Errorf("got  %+v\nwant %+v", got[0].Data, c.want)
			}
			if want := time.Date(2023, 12, 31, 16, 0, 0, 179e6, time.UTC); !got[0].Time.Equal(want) {
				t.Errorf("at %s, want %s", got[0].Time, want)
			}
		})
	}
}

const monitor = `{"eventTime":"20181226T220114.058+0800","id":"9435EAD6","level":"INFO","name":"Instance:StateChange","product":"ECS",
 "regionId":"cn-hangzhou","resourceId":"acs:ecs:cn-hangzhou:16907030:instance/i-bp1a","userId":"16907030","ver":"1.0",
 "content":{"resourceId":"i-bp1a","resourceType":"ALIYUN::ECS::Instance","state":"Stopping"}}`

const alarmed = `{"alertName":"probe","alertState":"ALERT","curValue":"1","dimensions":"{userId=12, instanceId=i-bp1a}",` +
	`"metricName":"ping","ruleId":"r1","timestamp":1508136760000,"regionId":"cn-hangzhou"}`

const aws = `{"version":"0","id":"7bf7","detail-type":"havip.health.failed","source":"com.example.monitor","account":"123456789012",
 "time":"2018-12-26T14:01:14Z","region":"us-east-1","resources":[],"detail":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-bp1a"}}`

const bcm = `{"id":"al-1","userId":"12","state":"ALERT","startTime":1545832874000,"endTime":1545832884000,"alarmType":"ALARM_TYPE_CLOUD",
 "resource":{"scope":"BCE_BCC","resourceType":"Instance","region":"bj","identifiers":{"InstanceId":"i-syG1"}},
 "policy":{"name":"p1","aliasName":"probe"}}`

const timer = `{"triggerTime":"2018-12-26T14:01:14Z","triggerName":"havip-sweep","payload":"go"}`

func TestInbound(t *testing.T) {
	stopping := HealthFailed(hangzhou("the instance is Stopping"))
	probe := hangzhou("alarm probe ping")
	beijing := Fact{Cloud: "baidu", Region: "bj", Instance: "i-syG1", Reason: "alarm probe"}
	for _, c := range []struct {
		name, payload, old, now string
		want                    Event
	}{
		{"monitor", monitor, "", "", Event{ID: "9435EAD6", Source: "acs.cms", Type: "Instance:StateChange", Data: stopping}},
		{"monitor without the id in its content", monitor, `"content":{"resourceId":"i-bp1a",`, `"content":{`, Event{ID: "9435EAD6", Source: "acs.cms", Type: "Instance:StateChange", Data: stopping}},
		{"monitor without region", monitor, `"regionId":"cn-hangzhou",`, ``, Event{ID: "9435EAD6", Source: "acs.cms", Type: "Instance:StateChange", Data: stopping}},
		{"monitor of another product", monitor, `"ECS"`, `"RDS"`, Event{ID: "9435EAD6", Source: "acs.cms", Type: "Instance:StateChange", Data: Ignored{`"RDS" says nothing about who can serve`}}},
		{"alarm", alarmed, "", "", Event{ID: "r1/i-bp1a/1508136760000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm, older", alarmed, "ALERT", "ALARM", Event{ID: "r1/i-bp1a/1508136760000/ALARM", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm over", alarmed, "ALERT", "OK", Event{ID: "r1/i-bp1a/1508136760000/OK", Source: "acs.cms", Type: "alarm", Data: HealthRestored(probe)}},
		{"alarm without data", alarmed, "ALERT", "INSUFFICIENT_DATA", Event{ID: "r1/i-bp1a/1508136760000/INSUFFICIENT_DATA", Source: "acs.cms", Type: "alarm", Data: Ignored{`the alarm "probe" lacks data`}}},
		{"alarm with dimensions in JSON", alarmed, `"{userId=12, instanceId=i-bp1a}"`, `[{"userId": "12",` + "\n" + `"instanceId": "i-bp1a"}]`, Event{ID: "r1/i-bp1a/1508136760000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm with dimensions in a string of JSON", alarmed, `"{userId=12, instanceId=i-bp1a}"`, `"[{\"instanceId\":\"i-bp1a\"}]"`, Event{ID: "r1/i-bp1a/1508136760000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm in seconds", alarmed, "1508136760000", `"1508136760"`, Event{ID: "r1/i-bp1a/1508136760000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm without a time", alarmed, `"timestamp":1508136760000,`, "", Event{ID: "r1/i-bp1a/1772366401000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm in no year", alarmed, "1508136760000", "19999508136760000", Event{ID: "r1/i-bp1a/1772366401000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed(probe)}},
		{"alarm without a region", alarmed, `,"regionId":"cn-hangzhou"`, "", Event{ID: "r1/i-bp1a/1508136760000/ALERT", Source: "acs.cms", Type: "alarm", Data: HealthFailed{Cloud: "alibaba", Instance: "i-bp1a", Reason: "alarm probe ping"}}},
		{"BCM", bcm, "", "", Event{ID: "al-1/i-syG1/1545832874000/ALERT", Source: "bce.bcm", Type: "alarm", Data: HealthFailed(beijing)}},
		{"BCM over", bcm, "ALERT", "OK", Event{ID: "al-1/i-syG1/1545832884000/OK", Source: "bce.bcm", Type: "alarm", Data: HealthRestored(beijing)}},
		{"BCM closed", bcm, `"ALERT"`, `"CLOSED"`, Event{ID: "al-1/i-syG1/1545832874000/CLOSED", Source: "bce.bcm", Type: "alarm", Data: Ignored{`the alarm "probe" was closed`}}},
		{"BCM of another product", bcm, `BCE_BCC`, `BCE_CDN`, Event{ID: "al-1/1545832874000/ALERT", Source: "bce.bcm", Type: "alarm", Data: Ignored{`an alarm of "BCE_CDN" says nothing about who can serve`}}},
		{"BCM without a policy", bcm, `"policy"`, `"alarmName":"probe","x"`, Event{ID: "al-1/i-syG1/1545832874000/ALERT", Source: "bce.bcm", Type: "alarm", Data: HealthFailed(beijing)}},
		{"AWS with data", aws, "", "", Event{ID: "7bf7", Source: "com.example.monitor", Type: TypeHealthFailed, Data: HealthFailed(hangzhou(""))}},
		{"AWS with a CloudEvent", aws, `{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-bp1a"}`, cloudEvent(""), failed},
		{"AWS clock", aws, `"havip.health.failed","source":"com.example.monitor"`, `"Scheduled Event","source":"aws.events"`, Event{ID: "7bf7", Source: "aws.events", Type: TypeSweep, Data: Sweep{}}},
		{"AWS of another's type", aws, "havip.health.failed", "EC2 Instance State-change Notification", Event{ID: "7bf7", Source: "com.example.monitor",
			Type: "EC2 Instance State-change Notification", Data: Ignored{`"EC2 Instance State-change Notification" is no type that we act on`}}},
		{"a clock that is not AWS", aws, "havip.health.failed", "Scheduled Event", Event{ID: "7bf7", Source: "com.example.monitor",
			Type: "Scheduled Event", Data: Ignored{`"Scheduled Event" is no type that we act on`}}},
		{"timer", timer, "", "", Event{ID: "havip-sweep@2018-12-26T14:01:14Z", Source: "fc.timer", Type: TypeSweep, Data: Sweep{}}},
		{"timer with what to sweep", timer, `"go"`, `" {\"havip\":\"havip-1\"}"`, Event{ID: "havip-sweep@2018-12-26T14:01:14Z", Source: "fc.timer", Type: TypeSweep, Data: Sweep{HAVIP: "havip-1"}}},
		{"timer without payload", timer, `,"payload":"go"`, "", Event{ID: "havip-sweep@2018-12-26T14:01:14Z", Source: "fc.timer", Type: TypeSweep, Data: Sweep{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(strings.Replace(c.payload, c.old, c.now, 1)), arrived)
			if err != nil {
				t.Fatal(err)
			}
			got[0].Time, got[0].Arrived, c.want.Time, c.want.Arrived = at, at, at, at
			if len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestInboundTimes(t *testing.T) {
	want := time.Date(2018, 12, 26, 14, 1, 14, 0, time.UTC)
	for name, payload := range map[string]string{
		"monitor": monitor, "AWS": aws, "timer": timer,
		"alarm": strings.Replace(alarmed, "1508136760000", "1545832874000", 1),
	} {
		got, err := Read([]byte(payload), arrived)
		if err != nil {
			t.Fatal(err)
		}
		if !got[0].Time.Truncate(time.Second).Equal(want) {
			t.Errorf("%s: at %s, want %s", name, got[0].Time.UTC(), want)
		}
	}
}

func TestInboundRefuses(t *testing.T) {
	for _, c := range []struct{ name, payload, old, now, want string }{
		{"a state of no instance", state("Gone"), "", "", `data.state: "Gone" is no state of an instance`},
		{"no state", state("Running"), `,"state":"Running"`, ``, "data.state: missing; it must be a string that is not empty"},
		{"a state that is none", state("Running"), `"Running"`, `7`, "data.state: must be a string"},
		{"no instance but in the subject", state("Running"), `"resourceId":"i-bp1a",`, ``, "data.resourceId: missing; name the instance"},
		{"no region", strings.Replace(state("Running"), `"aliyunregionid":"cn-hangzhou",`, ``, 1), `acs:ecs:cn-hangzhou:123456789098:`, ``,
			"aliyunregionid: missing, and no ARN tells the region either; send it"},
		{"a long instance", state("Running"), `i-bp1a`, strings.Repeat("i", 257), "data.resourceId: is 257 bytes long; 256 are allowed"},
		{"an instance beyond ASCII", state("Running"), `i-bp1a`, "i-ü", "data.resourceId: must hold printable ASCII only"},
		{"a blank instance", state("Running"), `i-bp1a`, " ", "data.resourceId: missing; name the instance"},
		{"a long region", state("Running"), `"aliyunregionid":"cn-hangzhou"`, `"aliyunregionid":"` + strings.Repeat("r", 257) + `"`, "aliyunregionid: is 257 bytes long; 256 are allowed"},
		{"a long type", state("Running"), `ecs:Instance:StateChange`, `ecs:` + strings.Repeat("t", 257), "type: is 261 bytes long; 256 are allowed"},
		{"no data", native("ecs:Instance:StateChange", "null"), "", "", "data: must be a JSON object"},
		{"monitor without id", monitor, `"id":"9435EAD6",`, "", "id: missing; it must be a string that is not empty"},
		{"monitor's content", monitor, `"state":"Stopping"`, `"state":1`, "content.state: must be a string"},
		{"monitor with a list", monitor, `"content":{`, `"content":[],"x":{`, "content: must be a JSON object"},
		{"alarm of nobody", alarmed, "instanceId", "groupId", "dimensions: no instanceId in them; choose a metric of instances"},
		{"alarm of a long instance", alarmed, "i-bp1a", strings.Repeat("i", 257), "dimensions: an instanceId is 257 bytes long; 256 are allowed"},
		{"alarm of an instance beyond ASCII", alarmed, "i-bp1a", "i-ü", "dimensions: an instanceId must hold printable ASCII only"},
		{"alarm in a long region", alarmed, "cn-hangzhou", strings.Repeat("r", 257), "regionId: is 257 bytes long; 256 are allowed"},
		{"alarm in no state", alarmed, "ALERT", "PANIC", `alertState: "PANIC" is none of OK, ALERT, INSUFFICIENT_DATA`},
		{"BCM of nobody", bcm, "InstanceId", "GroupId", "dimensions: no instanceId in them; choose a metric of instances"},
		{"BCM in no state", bcm, "ALERT", "PANIC", `alertState: "PANIC" is none of OK, ALERT, INSUFFICIENT_DATA`},
		{"AWS with a long id", aws, `7bf7`, strings.Repeat("7", 257), "id: is 257 bytes long; 256 are allowed"},
		{"AWS without id", aws, `"id":"7bf7",`, "", "id: missing; it must be a string that is not empty"},
		{"AWS without detail", aws, `"detail":`, `"details":`, "detail: must be a JSON object"},
		{"AWS with a bad detail", aws, `"instance":"i-bp1a"`, `"instance":2`, "detail.instance: must be a string"},
		{"AWS with a bad CloudEvent", aws, `"cloud":"alibaba"`, `"specversion":"1.1"`, `detail.specversion: "1.1" is not read; send 1.0`},
		{"alarm of a forged instance", alarmed, "i-bp1a", `i\u0001`, "id: must not hold control characters"},
		{"timer with bad JSON", timer, `"go"`, `"{\"havip\":}"`, `payload.havip: not JSON: "}" at byte 9, where a value must stand`},
		{"timer with another cloud", timer, `"go"`, `"{\"cloud\":\"aws\"}"`, `payload.cloud: "aws" is no cloud of ours; send alibaba or baidu`},
		{"timer with a number", timer, `"go"`, `1`, "payload: must be a string"},
		{"timer without a name", timer, `"havip-sweep"`, `""`, "triggerName: missing; it must be a string that is not empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(strings.Replace(c.payload, c.old, c.now, 1)), arrived)
			if fmt.Sprint(err) != c.want || !errors.Is(err, ErrInvalid) || len(got) > 0 {
				t.Errorf("got  %v, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestAlarmForm(t *testing.T) {
	form := url.Values{
		"alertName": {"probe\nforged"}, "alertState": {"ALERT"}, "ruleId": {"r\n1"}, "timestamp": {"1508136760000"},
		"dimensions": {"[{userId=12, instanceId=i-1}, {userId=12, instanceId=i-2}, {instanceId=i-1}]"},
	}
	got, err := ReadHTTP(map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()), arrived)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("got %+v, want one event for each instance", got)
	}
	if want := "r 1/i-1/1508136760000/ALERT"; got[0].ID != want {
		t.Errorf("the id is %q, want %q", got[0].ID, want)
	}
	for i, instance := range []string{"i-1", "i-2"} {
		if want := (HealthFailed{Cloud: "alibaba", Instance: instance, Reason: "alarm probe forged"}); got[i].Data != want {
			t.Errorf("got %+v, want %+v", got[i].Data, want)
		}
	}
}
