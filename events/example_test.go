package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"havip-functions/events"
)

func ExampleRead() {
	payload := []byte(`{"id":"45ef","source":"acs.ecs","specversion":"1.0","type":"ecs:Instance:StateChange",
		"time":"2024-1-1T08:00:00PRC","aliyunregionid":"cn-hangzhou",
		"data":{"resourceId":"i-db1","state":"Stopped"}}`)
	read, err := events.Read(payload, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range read {
		if failed, ok := e.Data.(events.HealthFailed); ok {
			fmt.Println(e.Time.UTC(), failed.Region, failed.Instance, failed.Reason)
		}
	}
	// Output: 2024-01-01 00:00:00 +0000 UTC cn-hangzhou i-db1 the instance is Stopped
}

func ExampleError() {
	payload := []byte(`{"id":"1","source":"/probe","specversion":"1.0","type":"havip.health.failed",
		"data":{"cloud":"baidu","region":"bj","instance":["i-1"]}}`)
	_, err := events.Read(payload, time.Now())
	fmt.Println(errors.Is(err, events.ErrInvalid), err)
	// Output: true data.instance: must be a string
}

func ExampleNew() {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	text, err := json.Marshal(events.New("tick-1", at, events.Sweep{Cloud: "baidu"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
	// Output: {"specversion":"1.0","id":"tick-1","source":"havip-functions","type":"havip.sweep","datacontenttype":"application/json","time":"2026-03-01T12:00:00Z","data":{"cloud":"baidu"}}
}
