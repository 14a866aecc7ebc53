package havip

import (
	"context"
	"fmt"
	"time"
)

// Freeze keeps our hands off a HAVIP for a while. A recover by hand passes.
type Freeze struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
}

func (f *Freeze) holds(now time.Time) bool { return f != nil && now.Before(f.Until) }

func (f *Freeze) explain(name string) (rule, advice string) {
	return fmt.Sprintf("%s is frozen until %s by %s: %s", name, f.Until.UTC().Format(time.RFC3339), f.Actor, f.Reason),
		fmt.Sprintf(`run havip freeze %s --until now --reason "…" to lift it, or %s`, name, recoverCommand(name))
}

// hold stops a story where a person said so; what its event tells of an instance
// is remembered all the same.
func (r *Record) hold(s *Story, p Policy, now time.Time) Outcome {
	switch {
	case p.Mode == Paused:
		s.explain(paused(p))
	case r.Frozen.holds(now) && s.Ask.Kind != AskRecover:
		s.explain(r.Frozen.explain(p.Name))
	default:
		return ""
	}
	return Ignored
}

func paused(p Policy) (rule, advice string) {
	return p.Name + " is paused", "set its mode to act in roster.yaml"
}

// Freeze freezes the HAVIPs that pick names by id or name, all for an empty
// pick, and returns their names. A time that has passed lifts it.
func (k Keeper) Freeze(ctx context.Context, pick string, f Freeze) ([]string, error) {
	f.Reason, f.Actor = cut(f.Reason, 300), cut(f.Actor, 100)
	var frozen []string
	for _, p := range k.Roster.Policies() {
		if pick != "" && pick != p.ID && pick != p.Name {
			continue
		}
		_, err := k.Change(ctx, p.Key().String(), func(r *Record) (bool, error) {
			if now := k.Now(); !f.holds(now) && !r.Frozen.holds(now) { // there is nothing to lift
				return false, nil
			}
			r.Frozen = &f
			return true, nil
		})
		if err != nil {
			return frozen, err
		}
		frozen = append(frozen, p.Name)
	}
	return frozen, nil
}
