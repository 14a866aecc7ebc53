package events

import (
	"encoding/json"
	"time"

	"havip-functions/shared/havip"
)

// StatusCheck asks to look at a HAVIP again, for a story that is under way.
type StatusCheck struct {
	Cloud     string          `json:"cloud"`
	Region    string          `json:"region"`
	HAVIP     string          `json:"havip"`
	Story     string          `json:"story"`
	Attempt   int             `json:"attempt"`           // of the look, from 1
	NotBefore time.Time       `json:"notBefore"`         // a bus may deliver early
	Carried   json.RawMessage `json:"carried,omitempty"` // the story, for hosts without a ledger
	Seal      string          `json:"seal,omitempty"`    // shows that we wrote what it carries
}

func (StatusCheck) eventType() string { return TypeStatusCheck }

func (d StatusCheck) subject() string { return d.HAVIP }

func readStatusCheck(f *fields) StatusCheck {
	return StatusCheck{
		Cloud:     f.cloud(),
		Region:    f.form("region", havip.IsRegion, "write it like cn-hangzhou or bj"),
		HAVIP:     f.form("havip", havip.IsHAVIP, "write it like havip-bp1orders"),
		Story:     f.form("story", havip.IsStoryID, "send the id as we made it, 24 hex digits"),
		Attempt:   int(f.ordinal("attempt")),
		NotBefore: f.moment("notBefore"),
		Carried:   f.raw("carried", maxCarried),
		Seal:      f.name("seal"),
	}
}
