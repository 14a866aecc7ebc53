package events

import (
	"encoding/json"
	"time"
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
		Region:    f.required("region"),
		HAVIP:     f.required("havip"),
		Story:     f.required("story"),
		Attempt:   int(f.ordinal("attempt")),
		NotBefore: f.moment("notBefore"),
		Carried:   f.raw("carried"),
		Seal:      f.text("seal"),
	}
}
