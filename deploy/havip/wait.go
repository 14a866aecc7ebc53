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

// teller follows a story and tells what happens, a line each with its time.
type teller struct {
	out    io.Writer
	prefix string
	last   string
	plan   string
	steps  time.Time // of the newest one told; a story keeps only some of them
	clock  time.Time
}

// line tells what happened, in the order in which we learn of it.
func (t *teller) line(at time.Time, format string, args ...any) {
	if at.Before(t.clock) {
		at = t.clock
	}
	t.clock = at
	fmt.Fprintf(t.out, "%s  %s%s\n", at.Local().Format("15:04:05.000"), t.prefix, fmt.Sprintf(format, args...))
}

// tell says what is new in the story.
func (t *teller) tell(s api.Story) {
	if plan := planned(s.Want); plan != t.plan && s.Outcome == nil && s.Status != "" {
		t.plan = plan
		t.line(time.Now(), "plan: %s", plan)
	}
	for _, step := range s.Steps {
		if !step.At.After(t.steps) {
			continue
		}
		t.steps = step.At
		t.line(step.At, "%s %s: %s%s (request %s, %d ms)", step.Step, step.Instance, step.Result,
			bracketed(step.Code), orNone(step.RequestID), step.Ms)
	}
	now := fmt.Sprintf("%s, held by %s, %s", s.Status, orNobody(s.Holders), announced(s.Announcement))
	if s.Status != "" && now != t.last {
		t.last = now
		t.line(time.Now(), "look %d: %s", s.Attempt, now)
	}
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
	for answered := time.Now(); ; {
		s, err := c.story(ctx, id)
		switch {
		case err == nil:
			answered = time.Now()
			t.tell(s)
		case !away(err) || time.Since(answered) > patience:
			return s, err
		case t.last != err.Error():
			t.last = err.Error()
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
