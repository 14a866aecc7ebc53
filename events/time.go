package events

import (
	"strings"
	"time"
)

// china is what PRC and Asia/Shanghai mean since 1991, without a zone database.
const china = "+08:00"

// looseLayouts are the ways in which clouds write a time, besides RFC 3339:
// 2023-1-25T01:45:16.969Z, 2020-11-19T21:04:42+0800, 20181226T220114.058+0800.
var looseLayouts = []string{
	"2006-1-2T15:4:5Z07:00",
	"2006-1-2T15:4:5Z0700",
	"2006-1-2 15:4:5Z07:00",
	"20060102T150405Z0700",
}

// parseTime reads a time as senders really write it. One without a zone is not
// a time: nobody knows which moment it means.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(fitting(text, maxTime))
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, writable(at)
	}
	text, _, _ = strings.Cut(text, "[") // 2020-11-19T21:04:42+08:00[Asia/Shanghai]
	for _, zone := range []string{"PRC", "Asia/Shanghai"} {
		if local, ok := strings.CutSuffix(text, zone); ok {
			text = strings.TrimSpace(local) + china
		}
	}
	for _, layout := range looseLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, writable(at)
		}
	}
	return time.Time{}, false
}

// writable tells whether RFC 3339 has room for the year, which an epoch or a
// zone can push out of it.
func writable(at time.Time) bool {
	year := at.UTC().Year()
	return year > 0 && year < 10000
}
