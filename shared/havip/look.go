package havip

import (
	"context"
	"time"
)

// look is one look at a HAVIP: steps 4 to 7 of the protocol. Its record is a
// private copy until a compare-and-set lands.
type look struct {
	keeper Keeper
	policy Policy
	key    string // of the record
	record Record
	rev    Revision
	wrote  Revision // what it has written itself; 0 for nothing
	story  *Story   // the record's, open
	before *Record  // as it was when it was read, or leased for a call
	leased bool     // the record says what is to be sent now

	cloud Cloud
	have  HAVIP
	err   error // why the HAVIP could not be read
	now   time.Time
	at    time.Time // when it was read
	took  time.Duration
	why   string // nothing is done
	want  Want

	stateless error    // why the cloud does not say how the members are
	lessons   []lesson // that it taught
}

// decide ends the story, waits, or leases the one call that is to be sent.
func (l *look) decide(ctx context.Context) error {
	if l.err != nil {
		return l.blind(ctx)
	}
	if l.want = l.story.Want; l.want == (Want{}) || !l.have.Moving() { // else it has to wait, whatever it is
		l.want = Choose(l.policy, l.have, *l.story)
	}
	l.story.Want, l.story.Status, l.story.Holders = l.want, l.have.Status, l.have.Holders
	l.story.Announcement, l.story.Witness = l.have.announcement(), l.have.Witness
	l.record.announced(l.have, l.now)
	l.story.Unreleased = l.leftover()
	step := Next(l.want, l.have)
	l.reason(step)
	switch {
	case step == Done:
		return l.done(ctx)
	case step == Refuse:
		if l.want.Instance != "" || len(l.story.Barred) == 0 { // else the cloud's own no says more
			l.story.explain(l.refusal())
		}
		return l.end(ctx, Refused)
	case l.overdue() && l.leftover():
		l.story.explain(l.guarded())
		return l.end(ctx, l.good())
	case l.overdue():
		return l.timedOut(ctx)
	case step == Wait:
		return l.again(ctx, l.pause(ctx))
	default:
		return l.step(ctx, step)
	}
}

// reason says why the story waits, if it will, and forgets what another look advised.
func (l *look) reason(step Step) {
	if l.story.Code == "" {
		l.story.Advice = ""
	}
	if step == Wait && !l.have.Moving() { // VRRP may still move it
		l.why, l.story.Advice = l.guarded()
	}
}

// read fills in what the cloud says, and what the ledger knows beside it.
func (l *look) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.keeper.callTimeout())
	defer cancel()
	cloud, fleet, err := l.keeper.Clouds(ctx, l.policy, l.story.ID)
	asked := l.keeper.Now()
	if err == nil {
		l.cloud = cloud
		l.have, err = cloud.Get(ctx, l.policy.ID)
	}
	l.err, l.now = err, l.keeper.Now()
	l.at, l.took = l.now, l.now.Sub(asked)
	if err != nil {
		return nil // it is a fact to decide on, and the story's to tell
	}
	l.have.recognize(l.policy)
	l.have.Limit = l.policy.Limit
	l.resolve()
	if p := l.record.Pending; p != nil && !p.AnsweredAt.IsZero() {
		p.Unseen = max(0, asked.Sub(p.AnsweredAt))
	}
	l.have.Failed = l.record.failed(l.policy, l.now)
	l.have.States = l.states(ctx, fleet)
	l.record.markStates(l.policy, l.have, l.now)
	l.have.Failed = l.record.failed(l.policy, l.now)
	return nil
}

// states asks how the members are, where the choice depends on it: while the HAVIP
// moves there is none. A cloud that can't say leaves them unknown, which counts as
// running.
func (l *look) states(ctx context.Context, fleet Fleet) map[string]InstanceState {
	healthy := len(stayingHolders(l.have, l.story.Ask.Release))
	calm := healthy >= l.policy.Hold && healthy == len(l.have.Holders) && l.story.Ask.Kind != AskRecover
	if calm || l.have.Moving() || fleet == nil {
		return nil
	}
	var states map[string]InstanceState
	states, l.stateless = memberStates(ctx, fleet, l.policy)
	return states
}

func memberStates(ctx context.Context, fleet Fleet, p Policy) (map[string]InstanceState, error) {
	ids := make([]string, 0, len(p.Members))
	for _, m := range p.Members {
		ids = append(ids, m.Instance)
	}
	known, err := fleet.States(ctx, ids)
	if err != nil {
		return nil, err
	}
	states := map[string]InstanceState{}
	for _, m := range p.Members {
		if s, ok := known[m.Instance]; ok {
			states[m.ID] = s
		}
	}
	return states, nil
}

// resolve settles a pending call by what was read: its effect shows, or it may
// still come, or it never will.
func (l *look) resolve() {
	p := l.record.Pending
	if p == nil {
		return
	}
	switch held := l.have.On(p.Instance); {
	case held == (p.Verb == Attach):
		l.record.Pending = nil
		l.record.N++
		l.story.Acted = true
		l.story.Since = l.now
		l.teach(*p)
		l.story.CloudMs += l.now.Sub(p.SentAt).Milliseconds()
		if p.Verb == Attach {
			l.story.Instance = p.Instance
		}
	case l.have.Moving() || l.now.Before(p.SentAt.Add(l.keeper.settle())):
		l.have.Unresolved = true
	}
}
