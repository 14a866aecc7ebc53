package events

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Alarms have neither a source nor a type of their own: these are ours.
const (
	typeAlarm          = "alarm"
	sourceCloudMonitor = "acs.cms"
	sourceBCM          = "bce.bcm"
)

// alarm is a callback of a cloud's monitor. CloudMonitor's comes as JSON or a
// form. It has no id, no region in older versions, and dimensions that are JSON
// or what Java prints of a map: {userId=12, instanceId=i-12}.
type alarm struct {
	cloud, source string

	state, name, rule, metric, region, at string

	instances []string
}

func readAlarm(f *fields, arrived time.Time) ([]Event, error) {
	return newAlarm(f.loose).events(arrived)
}

// newAlarm takes the members of a callback as text, whatever they were.
func newAlarm(get func(name string) string) alarm {
	word := func(name string) string { return printable(get(name)) }
	return alarm{
		cloud:     "alibaba",
		source:    sourceCloudMonitor,
		state:     word("alertState"),
		name:      word("alertName"),
		rule:      cmp.Or(word("ruleId"), word("alertName")),
		metric:    word("metricName"),
		region:    word("regionId"),
		at:        word("timestamp"),
		instances: dimension(get("dimensions"), "instanceId"),
	}
}

// events are one for each instance of the alarm. The id is made of what stays
// the same when the monitor tries again.
func (a alarm) events(arrived time.Time) ([]Event, error) {
	if len(a.instances) == 0 {
		return nil, invalid("dimensions", "no instanceId in them; choose a metric of instances")
	}
	if len(a.instances) > MaxEvents {
		return nil, tooLarge("an alarm may name %d instances; send fewer at once", MaxEvents)
	}
	at, ok := parseEpoch(a.at)
	if !ok {
		at = arrived
	}
	var events []Event
	for _, instance := range a.instances {
		v := envelope{
			id:     composed(strings.Join([]string{a.rule, instance, strconv.FormatInt(at.UnixMilli(), 10), a.state}, "/")),
			source: a.source,
			kind:   typeAlarm,
		}
		e, err := v.header(arrived)
		if err != nil {
			return nil, err
		}
		if e.Data, err = a.meaning(instance); err != nil {
			return nil, err
		}
		e.Time = at
		events = append(events, e)
	}
	return events, nil
}

func (a alarm) meaning(instance string) (Data, error) {
	switch a.state {
	case "ALERT", "ALARM":
		fact, err := a.fact(instance)
		return HealthFailed(fact), err
	case "OK":
		fact, err := a.fact(instance)
		return HealthRestored(fact), err
	case "INSUFFICIENT_DATA":
		return Ignored{Reason: "the alarm " + shown(a.name) + " lacks data"}, nil
	case "CLOSED":
		return Ignored{Reason: "the alarm " + shown(a.name) + " was closed"}, nil
	default:
		return nil, invalid("alertState", "%s is none of OK, ALERT, INSUFFICIENT_DATA", shown(a.state))
	}
}

func (a alarm) fact(instance string) (Fact, error) {
	if problem := misnamed(instance); problem != "" {
		return Fact{}, invalid("dimensions", "an instanceId %s", problem)
	}
	if problem := misnamed(a.region); problem != "" {
		return Fact{}, invalid("regionId", "%s", problem)
	}
	return Fact{
		Cloud:    a.cloud,
		Region:   a.region,
		Instance: instance,
		Reason:   clean(strings.TrimSpace("alarm " + a.name + " " + a.metric)),
	}, nil
}

// dimension finds every value that stands behind a key, in either form, until
// there are more than an alarm may have.
func dimension(text, key string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("[]{}\",:=", r)
	})
	var values []string
	for i := 1; i < len(words) && len(values) <= MaxEvents; i++ {
		if words[i-1] == key && !slices.Contains(values, words[i]) {
			values = append(values, words[i])
		}
	}
	return values
}

// loose gives a member as text, be it a string, a number, a list or an object.
func (f *fields) loose(name string) string {
	m, ok := f.find(name)
	if !ok || m.kind() == '"' {
		return f.anyText(name)
	}
	return string(m.raw)
}

// parseEpoch reads seconds or milliseconds since 1970, or a time in letters.
func parseEpoch(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return parseTime(text)
	}
	at := time.UnixMilli(n)
	if n < 1e11 {
		at = time.Unix(n, 0)
	}
	return at, writable(at)
}
