package havip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// step leases one step, unless a brake holds it: the compare-and-set of pending is
// the lease, after it come the one call, and its answer into the ledger.
func (l *look) step(ctx context.Context, step Step) error {
	instance := l.touches(step)
	if err := l.edited(); err != nil {
		return err
	}
	if outcome := l.forbidden(step, instance); outcome != "" {
		return l.end(ctx, outcome)
	}
	if wait := l.cooling(); wait > 0 {
		return l.again(ctx, wait)
	}
	braked, err := l.braked(ctx)
	if err != nil {
		return err
	}
	if braked {
		return l.end(ctx, Refused)
	}
	if err := l.edited(); err != nil { // while the brake was asked
		return err
	}
	return l.lease(ctx, step, instance)
}

// touches is the instance that a step is about.
func (l *look) touches(step Step) string {
	if step == Detach {
		return l.want.Release
	}
	return l.want.Instance
}

// cooling is how long the step has to wait, and says why.
func (l *look) cooling() time.Duration {
	wait := l.coolDown()
	if wait > 0 {
		l.story.explain("cooling down after the failover of "+l.record.Failover.At.UTC().Format(time.RFC3339), "")
		l.why = fmt.Sprintf("%s, until %s", l.story.Rule, l.now.Add(wait).UTC().Format(time.RFC3339))
	}
	return wait
}

// edited is an error where the roster is another than the one that the look goes by:
// what it says now, all of it, decides.
func (l *look) edited() error {
	if now, found := l.keeper.policy(l.policy.Key()); !found || now.Roster != l.policy.Roster {
		return errRosterChanged
	}
	return nil
}

// forbidden tells how the story ends where a person or the roster forbids the
// step; "" allows it.
func (l *look) forbidden(step Step, instance string) Outcome {
	switch {
	case l.record.Frozen.holds(l.now) && l.story.Ask.Kind != AskRecover:
		l.story.explain(l.record.Frozen.explain(l.policy.Name))
		return Ignored
	case l.policy.Mode == Paused:
		l.story.explain(paused(l.policy))
		return Ignored
	case l.foreign():
		l.story.explain(notMember(l.want.Instance, l.policy))
		return Refused
	case step == Detach && !l.member(instance):
		l.story.explain(stranger(instance, l.policy))
		return Refused
	case l.policy.Mode == Observe:
		l.story.explain("mode observe: would "+string(step)+" "+instance, "set mode: act in roster.yaml")
		return Ignored
	}
	return ""
}

// braked counts a story's failover, and tells whether it is one too many.
func (l *look) braked(ctx context.Context) (bool, error) {
	if !l.moves() {
		return false, nil
	}
	closed, err := l.keeper.spend(ctx, l.policy, l.story.ID, l.now)
	if err != nil || closed.IsZero() {
		return false, err
	}
	l.story.explain(l.brakes(closed))
	l.story.Code, l.story.RequestID = "", "" // which the cloud said before
	return true, nil
}

func (l *look) brakes(closed time.Time) (rule, advice string) {
	return fmt.Sprintf("the brake has let no failover through in %s %s since %s: there were %d within %s",
			l.policy.Cloud, l.policy.Region, closed.UTC().Format(time.RFC3339), l.policy.Brake.Failovers, l.policy.Brake.Within),
		"check what reports these failures, then run havip freeze --lift, or " + recoverCommand(l.policy.Name)
}

// foreign tells that the instance to attach is not on the roster: it left it
// since it was named, or the story that a follow-up carried is not ours.
func (l *look) foreign() bool {
	return !l.member(l.want.Instance) && !l.have.On(l.want.Instance)
}

func (l *look) member(instance string) bool {
	_, member := l.policy.Member(instance)
	return member
}

func stranger(instance string, p Policy) (rule, advice string) {
	return fmt.Sprintf("%s is not a member of %s, and we detach members alone", instance, p.Name),
		"detach it in the cloud's console, or add it to the members in roster.yaml"
}

func notMember(instance string, p Policy) (rule, advice string) {
	return fmt.Sprintf("%s is not a member of %s", instance, p.Name),
		"add it to the members in roster.yaml, or name one of them"
}

// moves tells that the step would take the address from one instance to another
// without a person's word: any first step of a failover, and whatever else
// replaces a holder that failed.
func (l *look) moves() bool {
	if l.story.failover() {
		return l.failsOver()
	}
	replaces := l.want.Release != "" || len(l.have.Holders) > 0 && !l.have.HealthyBeside("")
	return l.story.Ask.Kind != AskRecover && replaces
}

// failsOver tells that the step would be the story's first, and a failover.
func (l *look) failsOver() bool {
	f := l.record.Failover
	return l.story.failover() && (f == nil || f.Story != l.story.ID)
}

// coolDown is how long a further failover has to wait while somebody healthy
// holds the HAVIP. Without a healthy holder nothing waits.
func (l *look) coolDown() time.Duration {
	f := l.record.Failover
	if f == nil || f.Story == l.story.ID || !l.story.failover() || !l.have.HealthyBeside("") {
		return 0
	}
	return f.At.Add(l.policy.CoolDown).Sub(l.now)
}

func (s *Story) failover() bool { return s.Ask.Kind == AskFailed || s.Ask.Kind == AskSweep }

// lease writes down what is about to be sent, before it is sent.
func (l *look) lease(ctx context.Context, step Step, instance string) error {
	if slices.Contains(l.story.Skip, instance) {
		l.story.Skip = nil // nobody else was left: all are tried again
	}
	force := step == Detach && l.want.Force && l.have.Guarded(instance)
	p := PendingCall{Verb: step, Instance: instance, Force: force}
	if old := l.record.Pending; old != nil { // settled without an effect
		if old.same(p) && old.Accepted < 2 {
			p.Token, p.Accepted = old.Token, old.Accepted
		} else {
			l.record.N++ // its answer would only be replayed
		}
	}
	if p.Token == "" {
		p.Token = p.token(l.story.ID, l.policy.ID, l.record.N)
	}
	p.SentAt = l.keeper.Now()
	l.record.Pending = &p
	if l.failsOver() {
		l.record.Failover = &Failover{At: p.SentAt, Story: l.story.ID}
	}
	if err := l.write(ctx); err != nil { // nothing may have been written since the read
		return err
	}
	l.leased = true
	l.remember()
	return nil
}

// token is the ClientToken of a step of a story, after so many effects.
func (p *PendingCall) token(story, id string, n int) string {
	return hash(story, id, string(p.Verb), p.Instance, forced(p.Force), itoa(n))
}

func (p *PendingCall) same(other PendingCall) bool {
	return p.Verb == other.Verb && p.Instance == other.Instance && p.Force == other.Force
}

func forced(force bool) string {
	if force {
		return "force"
	}
	return ""
}

// call sends what the lease says, and notes the answer.
func (l *look) call(ctx context.Context) error {
	p := l.record.Pending
	callCtx, cancel := context.WithTimeout(WithUrgency(ctx, l.urgency()), l.keeper.callTimeout())
	defer cancel()
	send := l.cloud.Attach
	if p.Verb == Detach {
		send = l.cloud.Detach
	}
	receipt, err := send(callCtx, Call{
		HAVIP: l.policy.ID, Instance: p.Instance, InstanceType: l.policy.InstanceType, Force: p.Force, Token: p.Token,
	})
	l.now = l.keeper.Now()
	taken := Taken{
		At: p.SentAt, Step: p.Verb, Instance: p.Instance, ClientToken: p.Token,
		RequestID: receipt.RequestID, Result: "accepted", Ms: l.now.Sub(p.SentAt).Milliseconds(),
	}
	p.AnsweredAt = l.now
	if err == nil {
		p.Accepted++
		l.story.take(taken)
		l.story.RequestID = receipt.RequestID
		return l.again(ctx, l.pause(ctx))
	}
	return l.failed(ctx, taken, err)
}

func (l *look) urgency() Urgency {
	if l.have.HealthyBeside("") {
		return Routine
	}
	return Urgent
}

// failed notes why a call was not accepted. A definite no clears pending; a lost
// reply keeps it until the HAVIP itself tells.
func (l *look) failed(ctx context.Context, taken Taken, err error) error {
	var cause *Error
	if !errors.As(err, &cause) { // new to us: as good as lost
		cause = &Error{Kind: ErrBusy, Op: string(taken.Step), Code: "Unknown", Message: err.Error(), Lost: true}
	}
	taken.Code, taken.RequestID = cut(cause.Code, maxCode), cut(cause.RequestID, maxCode)
	l.story.blame(cause)
	refused := errors.Is(cause, ErrRefused)
	switch {
	case refused:
		taken.Result = "refused"
	case cause.Lost:
		taken.Result = "unknown"
	default:
		taken.Result = "busy"
	}
	l.story.take(taken)
	if !cause.Lost {
		l.record.Pending = nil
	}
	switch {
	case refused && l.replaceable(taken, cause):
		l.story.Barred = append(l.story.Barred, taken.Instance)
	case refused:
		return l.end(ctx, Refused)
	case cause.Instance && taken.Step == Attach:
		l.story.Skip = append(l.story.Skip, taken.Instance)
	}
	l.why = l.story.reason()
	l.story.Since = l.now
	return l.again(ctx, retry(len(l.story.Steps)))
}

// replaceable tells that the cloud refused a standby of our own choice, so that
// another member may do. What the event or a person named is theirs to mend.
func (l *look) replaceable(taken Taken, cause *Error) bool {
	return taken.Step == Attach && cause.Instance && taken.Instance != l.story.Ask.Instance
}
