package console

import (
	"fmt"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

// drawing is a story drawn to scale: a lane each for who served, its waits, its looks
// and its calls, under one axis of time.
type drawing struct {
	Serving, Waits, Calls []bar
	Looks                 []dot
	Ticks                 []tick
	EventX, EndX          float64
	Tone                  string // of the end
	Took                  string
}

type bar struct {
	X, W        float64
	Tone, Title string
}

type dot struct {
	X           float64
	Tone, Title string
}

type tick struct {
	X     float64
	Label string
}

// The lanes begin at left, and are wide; the widest bar still leaves room for words.
const (
	laneLeft  = 90.0
	laneWidth = 850.0
	thinnest  = 3.0 // what took no time is still seen
)

// scale turns times into places.
type scale struct {
	from time.Time
	took time.Duration
}

func (s scale) x(at time.Time) float64 {
	part := float64(at.Sub(s.from)) / float64(s.took)
	return laneLeft + laneWidth*max(0, min(1, part))
}

func (s scale) bar(from, to time.Time, tone, title string) bar {
	x := min(s.x(from), laneLeft+laneWidth-thinnest)
	return bar{x, max(thinnest, s.x(to)-x), tone, title}
}

func draw(s api.Story, now time.Time) drawing {
	end, verdict := now, "busy"
	if s.EndedAt != nil {
		end, verdict = *s.EndedAt, tone(*s.Outcome)
	}
	by := scale{s.StartedAt, max(end.Sub(s.StartedAt), time.Millisecond)}
	d := drawing{EventX: by.x(s.StartedAt), EndX: by.x(end), Tone: verdict, Took: by.took.Round(time.Millisecond).String(), Ticks: by.ticks()}
	for i, g := range s.Looks {
		until := end
		if i+1 < len(s.Looks) {
			until = s.Looks[i+1].At
		}
		look := fmt.Sprintf("look %d: %s", g.Attempt, says(g))
		d.Looks = append(d.Looks, dot{by.x(g.At), lookTone(g), look})
		d.Serving = append(d.Serving, by.bar(g.At, until, servingTone(g), look))
		if g.Why != "" {
			d.Waits = append(d.Waits, by.bar(g.At, until, "busy", g.Why))
		}
	}
	for _, c := range s.Steps {
		title := fmt.Sprintf("%s %s: %s, %d ms, request %s", c.Step, c.Instance, c.Result, c.Ms, c.RequestID)
		d.Calls = append(d.Calls, by.bar(c.At, c.At.Add(time.Duration(c.Ms)*time.Millisecond), tone(c.Result), title))
	}
	return d
}

func says(g havip.Glance) string {
	switch {
	case g.Status == "":
		return "can't be read: " + g.Why
	case g.Serving != "":
		return fmt.Sprintf("%s, %s serves", g.Status, g.Serving)
	}
	return fmt.Sprintf("%s, nobody serves", g.Status)
}

func lookTone(g havip.Glance) string {
	if g.Status == "" {
		return "bad"
	}
	return tone(g.Status)
}

func servingTone(g havip.Glance) string {
	switch {
	case g.Status == "":
		return "dim"
	case g.AnnouncedBy == havip.ByHolder:
		return "good"
	}
	return "bad"
}

// steps are the distances of ticks that are easy to count in.
var steps = []time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute,
	5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// ticks are ten at most.
func (s scale) ticks() (ticks []tick) {
	step := steps[len(steps)-1]
	for _, d := range steps {
		if s.took <= 10*d {
			step = d
			break
		}
	}
	for d := time.Duration(0); d <= s.took && len(ticks) <= 10; d += step {
		ticks = append(ticks, tick{s.x(s.from.Add(d)), d.String()})
	}
	return ticks
}
