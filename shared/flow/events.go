package flow

import (
	"encoding/json"
	"fmt"

	"havip-functions/events"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// FromFact puts a fact about an instance into the protocol's words.
func FromFact(e events.Event, kind havip.Kind, f events.Fact) havip.Event {
	h := from(e, f.Cloud, f.Region, f.HAVIP)
	h.Ask = havip.Ask{Kind: kind, Instance: f.Instance, Reason: f.Reason}
	h.OfEveryInstance = e.OfEveryInstance()
	return h
}

// FromRecover puts a person's request into the protocol's words.
func FromRecover(e events.Event, r events.Recover) havip.Event {
	h := from(e, r.Cloud, r.Region, r.HAVIP)
	h.DryRun = r.DryRun
	h.Ask = havip.Ask{
		Kind: havip.AskRecover, Instance: r.Instance, Release: r.Release,
		Force: r.Force, AllowGap: r.AllowGap, Actor: r.Actor, Reason: r.Reason,
	}
	return h
}

// FromSweep puts a sweep into the protocol's words.
func FromSweep(e events.Event, s events.Sweep) havip.Event {
	h := from(e, s.Cloud, s.Region, s.HAVIP)
	h.Ask = havip.Ask{Kind: havip.AskSweep}
	return h
}

// FromCheck puts a follow-up into the protocol's words. What it carries is read where
// it is needed.
func FromCheck(c events.StatusCheck, seal guard.Seal) havip.Check {
	check := havip.Check{
		HAVIP: havip.Key{Cloud: c.Cloud, Region: c.Region, ID: c.HAVIP},
		Story: c.Story, Attempt: c.Attempt, At: c.NotBefore,
	}
	check.Carried = func() (havip.Carried, error) { return carried(check, c, seal) }
	return check
}

func carried(check havip.Check, c events.StatusCheck, seal guard.Seal) (havip.Carried, error) {
	var r havip.Record
	if len(c.Carried) == 0 {
		return havip.Carried{}, nil
	}
	if err := json.Unmarshal(c.Carried, &r); err != nil {
		return havip.Carried{}, fmt.Errorf("%w: data.carried: %w", events.ErrInvalid, err)
	}
	if s := r.Story; s != nil && (s.HAVIP != check.HAVIP || s.ID != check.Story) {
		return havip.Carried{}, fmt.Errorf("%w: data.carried: the story %s of %s in a check of %s", events.ErrInvalid, s.ID, s.HAVIP, check.HAVIP)
	}
	return havip.Carried{Record: r, Ours: seal.Fits(subject(check), c.Carried, c.Seal)}, nil
}

// subject is what a carried story must not be moved away from.
func subject(c havip.Check) string {
	return fmt.Sprintf("%s/%s/%d", c.HAVIP, c.Story, c.Attempt)
}

func from(e events.Event, cloud, region, id string) havip.Event {
	return havip.Event{
		EventRef: ref(e), Time: e.Time, Arrived: e.Arrived, Expiry: e.Expiry, Trace: trace(e),
		Cloud: cloud, Region: region, HAVIP: id,
	}
}

func trace(e events.Event) havip.Trace {
	return havip.Trace{Parent: e.TraceParent, State: e.TraceState}
}
