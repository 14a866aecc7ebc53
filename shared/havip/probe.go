package havip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Probe is how a second witness, beside the cloud's word about who serves, asks the
// address of a HAVIP for an answer.
type Probe struct {
	How  string // tcp, http or icmp; "" asks for none
	Port uint16
	Path string // of http, with its slash
}

// String is the probe as the roster has it.
func (p Probe) String() string {
	if p.Port == 0 {
		return p.How
	}
	return fmt.Sprintf("%s:%d%s", p.How, p.Port, p.Path)
}

// Witness is what a probe found. It is told, and no step is chosen by it.
type Witness struct {
	Probe       string `json:"probe,omitempty"` // one of the three below; "" where the roster asks for none
	ProbeReason string `json:"probeReason,omitempty"`
}

// What a probe finds.
const (
	Reachable   = "reachable"
	Unreachable = "unreachable"
	NotTried    = "not tried"
)

// Prober asks an address, within the context's time. It is nil once that answered, and
// a [NotAsked] where it could not be asked.
type Prober func(ctx context.Context, p Probe, address netip.Addr) error

// NotAsked is why an address was not asked.
type NotAsked string

// Error is the reason.
func (n NotAsked) Error() string { return string(n) }

// probeTime bounds a probe, as does half of what is left of the invocation: what it
// takes is missing to write the outcome down.
const probeTime = 2 * time.Second

// ask lets the second witness speak of the address that a story is to end on.
func (l *look) ask(ctx context.Context) {
	l.have.Witness = l.keeper.ask(ctx, l.policy.Probe, l.have.Address)
	l.story.Witness, l.story.Announcement = l.have.Witness, l.have.announcement()
	l.record.announced(l.have, l.now)
}

// ask asks an address, if the roster wants it.
func (k Keeper) ask(ctx context.Context, p Probe, address string) Witness {
	if p.How == "" {
		return Witness{}
	}
	err := k.probe(ctx, p, address)
	var not NotAsked
	switch {
	case err == nil:
		return Witness{Probe: Reachable}
	case errors.As(err, &not):
		return Witness{NotTried, cut(oneLine(err.Error()), maxCode)}
	}
	return Witness{Unreachable, cut(oneLine(err.Error()), maxCode)}
}

func (k Keeper) probe(ctx context.Context, p Probe, address string) error {
	at, err := netip.ParseAddr(address)
	switch {
	case k.Probe == nil:
		return NotAsked("nobody here looks from inside the VPC")
	case err != nil || at.IsUnspecified() || at.IsMulticast():
		return NotAsked("the cloud tells no address of it")
	}
	most := probeTime
	if deadline, limited := ctx.Deadline(); limited {
		most = min(most, time.Until(deadline)/2)
	}
	if most <= 0 {
		return NotAsked("the invocation has no time left")
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return k.Probe(ctx, p, at)
}

// askedAtOnce bounds how many addresses a sweep asks at a time: who doesn't answer
// costs it the time of a probe.
const askedAtOnce = 64

// witnesses asks the addresses that holders are said to announce.
func (k Keeper) witnesses(ctx context.Context, policies []Policy, seen map[string]HAVIP) {
	found := make([]Witness, len(policies))
	turn := make(chan struct{}, askedAtOnce)
	var asking sync.WaitGroup
	for i, p := range policies {
		if p.Mode == Paused || seen[p.ID].AnnouncedBy() != ByHolder {
			continue
		}
		turn <- struct{}{}
		asking.Go(func() {
			found[i] = k.ask(ctx, p.Probe, seen[p.ID].Address)
			<-turn
		})
	}
	asking.Wait()
	for i, p := range policies {
		if h, listed := seen[p.ID]; listed {
			h.Witness = found[i]
			seen[p.ID] = h
		}
	}
}
