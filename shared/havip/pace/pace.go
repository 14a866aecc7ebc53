// Package pace keeps the calls to each account and region at the rate that the
// cloud takes, the urgent ones first, and lets many readers share one reading.
package pace

import (
	"context"
	"errors"
	"math"
	"sync"

	"havip-functions/shared/havip"
)

// Pacer remembers of each account and region what the cloud takes. Its zero
// value is ready; one serves a whole process.
type Pacer struct {
	mu       sync.Mutex
	accounts map[key]*account
}

// key names what a cloud counts together.
type key struct{ cloud, account, region string }

// account is what is known of one account in one region.
type account struct {
	limiter limiter
	havips  shared[havip.HAVIP]
	states  shared[havip.InstanceState]

	mu    sync.Mutex
	pages int // calls that a list takes
}

// unlisted is how many readers make a list worth a try, while nobody knows how
// many calls it takes.
const unlisted = 4

// Clouds paces the calls of clouds. A call whose turn does not come within its
// context is [havip.ErrBusy], and was not sent.
func (p *Pacer) Clouds(clouds havip.Clouds) havip.Clouds {
	return func(ctx context.Context, policy havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
		cloud, fleet, err := clouds(ctx, policy, session)
		if err != nil || fleet == nil {
			return cloud, fleet, err
		}
		c := &paced{cloud, fleet, p.account(key{policy.Cloud, policy.Account, policy.Region})}
		return c, c, nil
	}
}

func (p *Pacer) account(k key) *account {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.accounts == nil {
		p.accounts = map[key]*account{}
	}
	if p.accounts[k] == nil {
		p.accounts[k] = &account{pages: unlisted}
	}
	return p.accounts[k]
}

// paced is a cloud and fleet whose calls wait for their turn.
type paced struct {
	cloud   havip.Cloud
	fleet   havip.Fleet
	account *account
}

// Get implements [havip.Cloud]. Where more readers wait than a list has pages,
// the list serves them all.
func (c *paced) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	found, err := c.account.havips.read(ctx, &c.account.limiter, []string{id}, c.list)
	if err != nil {
		return havip.HAVIP{}, err
	}
	if have, listed := found[id]; listed {
		return have, nil
	}
	return read(ctx, c.account.turns(underWay), func(ctx context.Context) (havip.HAVIP, error) { return c.cloud.Get(ctx, id) })
}

// Inner is what it wraps: see [havip.SurveyorOf].
func (c *paced) Inner() havip.Fleet { return c.fleet }

func (c *paced) list(ctx context.Context, ids []string) (map[string]havip.HAVIP, int, error) {
	if len(ids) <= c.account.listCalls() {
		return nil, len(ids), nil
	}
	t := c.account.turns(underWay)
	list, err := read(ctx, t, c.fleet.List)
	switch {
	case errors.Is(err, havip.ErrRefused): // each may be read all the same
		c.account.listed(math.MaxInt)
		return nil, t.calls + len(ids), nil
	case err != nil:
		return nil, t.calls, err
	}
	c.account.listed(t.calls)
	found := make(map[string]havip.HAVIP, len(list))
	for _, have := range list {
		found[have.ID] = have
	}
	return found, t.calls, nil
}

// States implements [havip.Fleet]. Those who ask together share the calls.
func (c *paced) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	found, err := c.account.states.read(ctx, &c.account.limiter, ids,
		func(ctx context.Context, ids []string) (map[string]havip.InstanceState, int, error) {
			t := c.account.turns(underWay)
			found, err := read(ctx, t, func(ctx context.Context) (map[string]havip.InstanceState, error) {
				return c.fleet.States(ctx, ids)
			})
			return found, t.calls, err
		})
	if err != nil {
		return nil, err
	}
	states := make(map[string]havip.InstanceState, len(ids))
	for _, id := range ids {
		if s, known := found[id]; known {
			states[id] = s
		}
	}
	return states, nil
}

// List implements [havip.Fleet].
func (c *paced) List(ctx context.Context) ([]havip.HAVIP, error) {
	t := c.account.turns(classOf(ctx))
	list, err := read(ctx, t, c.fleet.List)
	if err == nil {
		c.account.listed(t.calls)
	}
	return list, err
}

// Attach implements [havip.Cloud].
func (c *paced) Attach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	return c.cloud.Attach(c.account.turns(classOf(ctx)).in(ctx), call)
}

// Detach implements [havip.Cloud].
func (c *paced) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	return c.cloud.Detach(c.account.turns(classOf(ctx)).in(ctx), call)
}

func (a *account) listCalls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pages
}

func (a *account) listed(calls int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages = calls
}
