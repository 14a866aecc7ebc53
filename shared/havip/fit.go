package havip

import (
	"errors"
	"strings"
	"time"
)

// maxRecord bounds a record in bytes, whatever arrives: the smallest bus takes
// 128 KiB, and each event costs a read and a write of it.
const maxRecord = 16 << 10

// encode writes the record, shortened where it would be too large. What goes
// first is what nobody decides by.
func (r Record) encode() ([]byte, error) {
	for _, most := range []int{maxSteps, 8, 4, 2, 1} {
		r.Closed, r.Watched = shortened(r.Closed, most), shortened(r.Watched, most)
		if most < maxSteps {
			r.Story, r.Seen = shortened(r.Story, most), unexplained(r.Seen)
		}
		text, err := plain(r)
		if err != nil || len(text) <= maxRecord {
			return text, err
		}
	}
	return nil, errors.New("the record is larger than it can be")
}

// shortened keeps so many calls of a story, and as many words as go with them. An
// ended one needs no candidates any more, nor when it was to look.
func shortened(s *Story, steps int) *Story {
	if s == nil {
		return nil
	}
	short := *s
	short.Steps = ends(short.Steps, steps)
	if !short.Open() {
		short.Skip, short.Barred, short.Since, short.SettledAt = nil, nil, time.Time{}, time.Time{}
	}
	if most := 40 * steps; steps < maxSteps {
		short.Looks = ends(short.Looks, steps/2)
		for _, text := range []*string{
			&short.Ask.Reason, &short.Ask.Actor, &short.Rule, &short.Advice, &short.Code, &short.RequestID,
			&short.Event.Source, &short.Event.ID, &short.Event.Type, &short.Trace.State,
		} {
			*text = cut(*text, most)
		}
	}
	return &short
}

// unexplained are the events without why they ended at once.
func unexplained(seen map[string]Seen) map[string]Seen {
	short := make(map[string]Seen, len(seen))
	for event, s := range seen {
		s.Rule = ""
		short[event] = s
	}
	return short
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// ends keeps the first half and the last of so many, the last where it is one.
func ends[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	return append(list[:most/2:most/2], list[len(list)-(most+1)/2:]...)
}
