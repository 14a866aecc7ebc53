package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// read returns the outcome of an event, and whether people are told of it: not of what
// changed nothing, nor of what another story took over.
func read(e cloudevents.Event) (o events.Outcome, told bool) {
	if json.Unmarshal(e.Data(), &o) != nil || e.Type() != "havip."+o.Outcome {
		return o, false
	}
	switch havip.Outcome(o.Outcome) {
	case havip.Attached, havip.ServingRestored:
		return o, true
	default:
		return o, page(o)
	}
}

// page tells that a person should look now.
func page(o events.Outcome) bool {
	switch havip.Outcome(o.Outcome) {
	case havip.Refused, havip.TimedOut, havip.ServingLost:
		return true
	case havip.Attached:
		return o.Rule != "" // attached, but something is not as it should be
	default:
		return false
	}
}

// The longest text that all services take is WeCom's, 2048 bytes.
//
// https://developer.work.weixin.qq.com/document/path/91770
const (
	most    = 5   // outcomes in one message
	longest = 350 // bytes of one
)

// text tells outcomes, first those that a person should look at. It begins with HAVIP,
// which a robot that asks for a keyword may take for one.
func text(all []events.Outcome) string {
	var pages, rest []events.Outcome
	for _, o := range all {
		if page(o) {
			pages = append(pages, o)
		} else {
			rest = append(rest, o)
		}
	}
	var lines []string
	if len(all) > 1 {
		lines = append(lines, fmt.Sprintf("HAVIP: %d outcomes, %d of them for a person to look at", len(all), len(pages)))
	}
	for _, o := range append(pages, rest...)[:min(len(all), most)] {
		lines = append(lines, line(o))
	}
	if more := len(all) - most; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more: havip status, havip story", more))
	}
	return strings.Join(lines, "\n")
}

func line(o events.Outcome) string {
	sort := "info"
	if page(o) {
		sort = "PAGE"
	}
	serves := "nobody known to serve"
	if o.Serving != "" {
		serves = o.Serving + " serves"
	}
	said := fmt.Sprintf("HAVIP %s: %s (%s %s %s) %s, %s", sort, o.Name, o.Cloud, o.Region, o.HAVIP, o.Outcome, serves)
	for _, more := range []string{o.Rule, o.Code, o.Advice} {
		if more != "" {
			said += "; " + more
		}
	}
	end := fmt.Sprintf("; %s, havip story %s", o.EndedAt.UTC().Format(time.RFC3339), o.Story)
	return plain(said, longest-len(end)) + end
}

// plain leaves nothing that a chat reads as a mention, a link or a line of its own, and
// so many bytes at most.
func plain(said string, most int) string {
	said = strings.Map(func(r rune) rune {
		switch {
		case r == '<':
			return '‹'
		case r == '>':
			return '›'
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		}
		return r
	}, said)
	if len(said) <= most {
		return said
	}
	return strings.ToValidUTF8(said[:most-len("…")], "") + "…"
}
