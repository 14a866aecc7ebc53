package havip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
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

// Witness is what a probe found of the address that a story ended on. It is told, and
// nothing is decided by it.
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

// probe asks the address that the story ends on, if the roster wants it.
func (l *look) probe(ctx context.Context) {
	s, p := l.story, l.policy.Probe
	s.Witness = Witness{}
	if p.How == "" {
		return
	}
	err := l.keeper.probe(ctx, p, l.have.Address)
	var not NotAsked
	switch {
	case err == nil:
		s.Witness = Witness{Probe: Reachable}
	case errors.As(err, &not):
		s.Witness = Witness{NotTried, cut(oneLine(err.Error()), maxCode)}
	default:
		s.Witness = Witness{Unreachable, cut(oneLine(err.Error()), maxCode)}
		if s.Rule == "" { // else the cloud's word says more
			s.explain("the address does not answer "+p.String()+": "+s.ProbeReason,
				"check that the service on "+l.instance()+" listens on the address, and the security group")
		}
	}
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
