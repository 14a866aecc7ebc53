package events

import (
	"cmp"
	"strings"
)

// occurrence is what ECS reports of an instance, in our words:
//
//	Instance:StateChange Running                    started
//	Instance:StateChange Stopping, Stopped, Deleted failed
//	Instance:PreemptibleInstanceInterruption        failed: it will be released
//	Instance:SystemFailure.*, InstanceFailure.*     failed while it is Executing
//	Instance:SystemMaintenance.*                    failed while it is Executing
//	anything else                                   ignored
//
// https://help.aliyun.com/zh/ecs/user-guide/overview-of-ecs-system-events
type occurrence struct {
	name     string // Instance:SystemFailure.Reboot:Executing
	region   string // or empty
	arn      string // tells the region, where nothing else does
	resource string // names the instance, where the data does not
	data     *fields
}

// sourceECS is what Alibaba EventBridge calls ECS on the default bus.
const sourceECS = "acs.ecs"

// native reads an event of Alibaba EventBridge.
func (v envelope) native() (Data, error) {
	name, ok := strings.CutPrefix(v.kind, "ecs:")
	if strings.HasPrefix(v.kind, "ess:") {
		return Ignored{Reason: shown(v.kind) + " is told again by ECS for each instance"}, nil
	}
	if !ok || v.source != sourceECS {
		return Ignored{Reason: shown(v.kind) + " says nothing about who can serve"}, nil
	}
	f, err := v.open()
	if err != nil {
		return nil, err
	}
	return occurrence{name: name, region: v.region, arn: v.subject, data: f}.meaning()
}

func (o occurrence) meaning() (Data, error) {
	if relayed, ok := strings.CutPrefix(o.name, "CloudMonitor:Instance["); ok {
		o.name = "Instance:" + strings.TrimSuffix(relayed, "]")
	}
	switch {
	case o.name == "Instance:StateChange":
		return o.stateChange()
	case o.name == "Instance:PreemptibleInstanceInterruption", o.failing():
		fact, err := o.fact(o.name)
		return HealthFailed(fact), err
	default:
		return Ignored{Reason: shown(o.name) + " stops no instance now"}, nil
	}
}

func (o occurrence) stateChange() (Data, error) {
	state := o.data.required("state")
	fact, err := o.fact("the instance is " + state)
	if err != nil {
		return nil, err
	}
	switch state {
	case "Running":
		return InstanceStarted(fact), nil
	case "Stopping", "Stopped", "Deleted":
		return HealthFailed(fact), nil
	case "Pending", "Starting":
		return Ignored{Reason: fact.Instance + " is " + state + "; Running will follow"}, nil
	default:
		return nil, invalid(join(o.data.path, "state"), "%s is no state of an instance", shown(state))
	}
}

// failing tells whether a failure or a maintenance stops the instance now. A
// failure without a phase does; a maintenance without one may lie ahead.
func (o occurrence) failing() bool {
	what, phase, _ := strings.Cut(strings.TrimPrefix(o.name, "Instance:"), ":")
	if phase == "" {
		phase = o.data.text("eventStatus")
	}
	switch what, _, _ = strings.Cut(what, "."); what {
	case "SystemFailure", "InstanceFailure":
		return phase == "" || phase == "Executing"
	case "SystemMaintenance":
		return phase == "Executing"
	default:
		return false
	}
}

// fact names the instance. An event's subject is asked for the region only: it
// is not to be trusted for the instance.
func (o occurrence) fact(reason string) (Fact, error) {
	resource := cmp.Or(o.data.text("resourceId"), o.data.text("instanceId"), o.resource)
	fact := Fact{
		Cloud:    "alibaba",
		Region:   cmp.Or(o.region, o.data.text("regionId"), regionOf(resource), regionOf(o.arn)),
		Instance: lastPart(resource),
		Reason:   clean(reason),
	}
	if strings.TrimSpace(fact.Instance) == "" {
		o.data.fail("resourceId", "missing; name the instance")
	}
	o.data.checkName("resourceId", fact.Instance)
	if o.data.err != nil {
		return Fact{}, o.data.err
	}
	if fact.Region == "" {
		return Fact{}, invalid("aliyunregionid", "missing, and no ARN tells the region either; send it")
	}
	if problem := misnamed(fact.Region); problem != "" {
		return Fact{}, invalid("aliyunregionid", "%s", problem)
	}
	return fact, nil
}

// regionOf is the third part of acs:ecs:cn-hangzhou:1234:instance/i-1.
func regionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 || parts[0] != "acs" {
		return ""
	}
	return parts[2]
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
