package events

import (
	"cmp"
	"time"
)

// readBCM reads an alarm of Baidu's Cloud Monitor. The documents show the alarm
// as its history holds it, with state, resource and policy; that the callback has
// the same members is an assumption, so their absence is forgiven where it can
// be. Only alarms of instances (scope BCE_BCC) say who can serve.
//
// https://cloud.baidu.com/doc/BCM/s/bkdzl6d69
func readBCM(f *fields, arrived time.Time) ([]Event, error) {
	resource, policy := f.inner("resource"), f.inner("policy")
	a := alarm{
		cloud:     "baidu",
		source:    sourceBCM,
		state:     printable(f.loose("state")),
		name:      printable(cmp.Or(policy.loose("aliasName"), policy.loose("name"), f.loose("alarmName"))),
		region:    printable(cmp.Or(resource.loose("region"), f.loose("region"))),
		instances: dimension(cmp.Or(resource.loose("identifiers"), f.loose("identifiers"), f.loose("dimensions")), "InstanceId"),
	}
	a.rule = cmp.Or(printable(f.loose("id")), a.name)
	a.at = f.loose("startTime")
	if a.state == "OK" {
		a.at = cmp.Or(f.loose("endTime"), a.at)
	}
	scope := printable(cmp.Or(resource.loose("scope"), f.loose("scope")))
	if scope == "BCE_BCC" {
		return a.events(arrived)
	}
	e, err := envelope{id: composed(cmp.Or(a.rule, scope) + "/" + a.at + "/" + a.state), source: sourceBCM, kind: typeAlarm}.header(arrived)
	e.Data = Ignored{Reason: "an alarm of " + shown(scope) + " says nothing about who can serve"}
	return one(e, err)
}

// inner is the object in a member; one without members where there is none.
func (f *fields) inner(name string) *fields {
	m, _ := f.find(name)
	if inner, err := openObject(name, m.raw); err == nil {
		return inner
	}
	return &fields{path: name}
}
