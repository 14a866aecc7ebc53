package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

// teller follows a story and tells what happens, a line each with the time at which it
// did, as the host's clock has it.
type teller struct {
	out    io.Writer
	prefix string
	day    bool // the lines begin with it
	plan   string
	away   string    // what was said of a host that doesn't answer
	steps  time.Time // of the newest call told; a story keeps only some of them
	looks  time.Time // of the newest look told
}

func (t *teller) line(at time.Time, format string, args ...any) {
	clock := at.Local().Format("15:04:05.000")
	if t.day {
		clock = at.Local().Format("2006-01-02 15:04:05.000")
	}
	text := fmt.Sprintf("%s  %s%s\n", clock, t.prefix, fmt.Sprintf(format, args...))
	if l, several := t.out.(*lines); several {
		l.writeAt(at, text)
		return
	}
	_, _ = io.WriteString(t.out, text) // the reader may have gone
}

// stamp is a time of the clock, with its day where that is not today's.
func stamp(at time.Time) string {
	if at.Local().Format(time.DateOnly) == time.Now().Local().Format(time.DateOnly) {
		return at.Local().Format("15:04:05")
	}
	return at.Local().Format("2006-01-02 15:04:05")
}

// tell says what is new in the story, in the order in which it happened.
func (t *teller) tell(s api.Story) {
	looks, steps := s.Looks, s.Steps
	for len(looks)+len(steps) > 0 {
		if len(steps) == 0 || len(looks) > 0 && !looks[0].At.After(steps[0].At) {
			t.look(looks[0])
			looks = looks[1:]
			continue
		}
		t.step(steps[0])
		steps = steps[1:]
	}
}

func (t *teller) step(step havip.Taken) {
	if !step.At.After(t.steps) {
		return
	}
	t.steps = step.At
	t.line(step.At, "%s %s: %s%s (request %s, %d ms)", step.Step, step.Instance, step.Result,
		bracketed(step.Code), orNone(step.RequestID), step.Ms)
}

func (t *teller) look(g havip.Glance) {
	if !g.At.After(t.looks) {
		return
	}
	t.looks = g.At
	if g.Status == "" {
		t.line(g.At, "look %d: the HAVIP can't be read: %s", g.Attempt, g.Why)
		return
	}
	if plan := planned(g.Want); plan != t.plan {
		t.plan = plan
		t.line(g.At, "plan: %s", plan)
	}
	why := ""
	if g.Why != "" {
		why = "; waits: " + g.Why
	}
	t.line(g.At, "look %d: %s, held by %s, %s%s", g.Attempt, g.Status, orNobody(g.Holders), announced(g.Announcement), why)
}

func planned(w havip.Want) string {
	plan := "hold with " + orNone(w.Instance)
	if w.Release != "" {
		plan += ", release " + w.Release
	}
	return plan
}

// wait follows the stories, and what supersedes them, to their outcomes.
func (c client) wait(ctx context.Context, ids []string, words io.Writer) ([]api.Story, error) {
	var ended []api.Story
	for _, id := range ids {
		s, err := c.follow(ctx, id, &teller{out: words})
		if err != nil {
			return ended, err
		}
		ended = append(ended, s)
	}
	return ended, nil
}

// patience is how long a host that we follow a story on may be away: one that starts
// anew goes on with it.
const patience = 30 * time.Second

func (c client) follow(ctx context.Context, id string, t *teller) (api.Story, error) {
	const soon = 2 * time.Second
	quiet := time.Now().Add(soon)
	for answered := time.Now(); ; {
		s, err := c.story(ctx, id)
		switch {
		case err == nil:
			answered = time.Now()
			t.tell(s)
			if s.Outcome == nil && t.looks.IsZero() && answered.After(quiet) {
				t.line(answered, "taken as story %s; the first look waits %s at most for the cloud's answer", id, longestCall)
				quiet = answered.Add(longestCall)
			}
		case !away(err) || time.Since(answered) > patience:
			return s, err
		case t.away != err.Error():
			t.away = err.Error()
			t.line(time.Now(), "%v; trying on", err)
		}
		if s.Outcome != nil {
			if s.Successor == "" {
				return s, nil
			}
			t.line(time.Now(), "%s; following story %s", s.Reason, s.Successor)
			id = s.Successor
			continue
		}
		select {
		case <-ctx.Done():
			return s, other("stopped waiting for story %s, which goes on; see havip story %s", id, id)
		case <-time.After(150 * time.Millisecond):
		}
	}
}

// away tells that no host answered.
func away(err error) bool {
	f := failure{}
	return errors.As(err, &f) && f.code == exitNoServer
}

// announced tells who announces the address: only a holder serves.
func announced(a havip.Announcement) string {
	switch a.AnnouncedBy {
	case havip.ByStranger:
		return a.Announcer + ", a stranger, announces it"
	case havip.ByUnknown:
		return "nobody knows whether " + a.Announcer + " serves"
	case havip.ByMute:
		return a.Announcer + " announces it, and nobody answers"
	case havip.ByHolder, havip.ByNobody:
	}
	return orNone(a.Serving) + " serves"
}

// served is an error while no holder announces the address that a story ended on.
func served(stories []api.Story) error {
	for _, s := range stories {
		if s.AnnouncedBy != "" && s.AnnouncedBy != havip.ByHolder {
			return other("%s is not served: %s", s.Name, announced(s.Announcement))
		}
	}
	return nil
}

// conclude prints the outcomes and turns the worst into the exit code.
func conclude(stories []api.Story, asJSON bool) error {
	var bad error
	for _, s := range stories {
		if asJSON {
			printJSON(s)
		} else {
			fmt.Println(verdict(s))
		}
		if *s.Outcome != havip.Attached && *s.Outcome != havip.Unchanged {
			bad = failure{exitOther, errors.New("")}
		}
	}
	return bad
}

// verdict is an outcome on one line: the rule, the code, what to do.
func verdict(s api.Story) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", cmp.Or(s.Name, s.HAVIP, s.Event.Type), colored(string(*s.Outcome)))
	switch *s.Outcome {
	case havip.Attached:
		fmt.Fprintf(&b, ": %s holds it; holders %s; %s", s.Instance, orNobody(s.Holders), announced(s.Announcement))
	case havip.Unchanged:
		fmt.Fprintf(&b, ": held by %s; %s", orNobody(s.Holders), announced(s.Announcement))
	case havip.Ignored, havip.Superseded, havip.Refused, havip.TimedOut, havip.ServingLost, havip.ServingRestored:
	}
	if s.Successor != "" {
		fmt.Fprintf(&b, " by story %s", s.Successor)
	}
	if s.Probe != "" {
		b.WriteString("; probe: " + s.Probe)
	}
	if s.Probe == havip.NotTried {
		b.WriteString(" (" + s.ProbeReason + ")")
	}
	if s.Reason != "" {
		b.WriteString(": " + s.Reason)
	}
	if s.Code != "" {
		fmt.Fprintf(&b, " (%s, request %s)", s.Code, orNone(s.RequestID))
	}
	if s.Advice != "" {
		b.WriteString("; " + s.Advice)
	}
	return b.String()
}
